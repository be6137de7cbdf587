package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

// told is an invoker that keeps what it was told, and fails over "fail".
type told struct {
	mailbox  *mailbox
	busy     atomic.Bool
	messages []any
	on       func(message any)
}

func (i *told) note(message any) {
	if i.busy.Swap(true) {
		panic("two run the same mailbox")
	}
	defer i.busy.Store(false)
	i.messages = append(i.messages, message)
	if i.on != nil {
		i.on(message)
	}
}

func (i *told) InvokeUserMessage(message any)   { i.note(message) }
func (i *told) InvokeSystemMessage(message any) { i.note(message) }
func (i *told) EscalateFailure(_, message any)  { i.note([]any{"failed over", message}) }

// newMailbox returns a mailbox with a crew of its own and whoever gets what is
// in it.
func newMailbox() (*mailbox, *told) {
	m := &mailbox{crew: &crew{}}
	i := &told{mailbox: m}
	m.RegisterHandlers(i, nil)
	return m, i
}

func post(m *mailbox, messages ...any) {
	for _, message := range messages {
		m.PostUserMessage(message)
	}
}

func equal(got, want []any) bool {
	return slices.EqualFunc(got, want, func(a, b any) bool {
		list, ok := a.([]any)
		other, also := b.([]any)
		if ok && also {
			return equal(list, other)
		}
		return !ok && !also && a == b
	})
}

func TestMailbox(t *testing.T) {
	tests := []struct {
		name string
		do   func(m *mailbox)
		on   func(m *mailbox, message any)
		want []any
		left int
	}{
		{name: "nothing", do: func(*mailbox) {}},
		{name: "in order", do: func(m *mailbox) { post(m, 1, 2, 3) }, want: []any{1, 2, 3}},
		{name: "what comes meanwhile follows", do: func(m *mailbox) { post(m, 1, 2) },
			on: func(m *mailbox, message any) {
				if n, ok := message.(int); ok && n < 10 {
					post(m, n+10)
				}
			}, want: []any{1, 2, 11, 12}},
		{name: "the system's first", do: func(m *mailbox) { post(m, 1, 2, 3) },
			on: func(m *mailbox, message any) {
				if message == 1 {
					m.PostSystemMessage("a")
					m.PostSystemMessage("b")
				}
			}, want: []any{1, "a", "b", 2, 3}},
		{name: "none while suspended, but the system's", do: func(m *mailbox) { post(m, 1, 2, 3) },
			on: func(m *mailbox, message any) {
				if message == 1 {
					m.PostSystemMessage(&actor.SuspendMailbox{})
					m.PostSystemMessage("a")
				}
			}, want: []any{1, "a"}, left: 2},
		{name: "those that are left go on when it is resumed", do: func(m *mailbox) {
			m.PostSystemMessage(&actor.SuspendMailbox{})
			post(m, 1, 2)
			m.PostSystemMessage(&actor.ResumeMailbox{})
			post(m, 3)
		}, want: []any{1, 2, 3}},
		{name: "one that fails is not tried again", do: func(m *mailbox) { post(m, 1, 2, 3) },
			on: func(_ *mailbox, message any) {
				if message == 2 {
					panic("two")
				}
			}, want: []any{1, 2, []any{"failed over", 2}, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, i := newMailbox()
				if test.on != nil {
					i.on = func(message any) { test.on(m, message) }
				}
				m.Start()
				test.do(m)
				synctest.Wait()
				if !equal(i.messages, test.want) {
					t.Errorf("%v, want %v", i.messages, test.want)
				}
				if n := m.UserMessageCount(); n != test.left {
					t.Errorf("%d messages are left, want %d", n, test.left)
				}
				m.crew.dismiss()
			})
		})
	}
}

// TestMailbox_Resumed goes on where a suspended mailbox stopped, although
// everything else has ended.
func TestMailbox_Resumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, i := newMailbox()
		i.on = func(message any) {
			if message == 1 {
				m.PostSystemMessage(&actor.SuspendMailbox{})
			}
		}
		post(m, 1, 2)
		synctest.Wait()
		post(m, 3)
		synctest.Wait()
		if n := m.UserMessageCount(); n != 2 {
			t.Errorf("%d messages wait", n)
		}
		m.PostSystemMessage(&actor.ResumeMailbox{})
		synctest.Wait()
		if want := []any{1, 2, 3}; !equal(i.messages, want) {
			t.Errorf("%v, want %v", i.messages, want)
		}
		m.crew.dismiss()
	})
}

// TestMailbox_Stopped passes on what comes for an actor that is no more, and
// what came before that and was not looked at.
func TestMailbox_Stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, i := newMailbox()
		var lost []any
		m.lost = func(message any) { lost = append(lost, message) }
		i.on = func(message any) { m.stopped = m.stopped || message == 2 }
		post(m, 1, 2, 3)
		synctest.Wait()
		post(m, 4)
		m.PostSystemMessage("a")
		synctest.Wait()
		if want := []any{1, 2, "a"}; !equal(i.messages, want) {
			t.Errorf("%v, want %v", i.messages, want)
		}
		if want := []any{3, 4}; !equal(lost, want) {
			t.Errorf("%v are lost, want %v", lost, want)
		}
		m.crew.dismiss()
	})
}

// TestMailbox_ManyPost posts from many places to many mailboxes: everything
// arrives once, in the order of each sender.
func TestMailbox_ManyPost(t *testing.T) {
	const senders, mailboxes, each = 8, 50, 200
	synctest.Test(t, func(t *testing.T) {
		crew := &crew{}
		var all []*told
		for range mailboxes {
			m := &mailbox{crew: crew}
			i := &told{mailbox: m}
			m.RegisterHandlers(i, nil)
			all = append(all, i)
		}
		var posting sync.WaitGroup
		for sender := range senders {
			posting.Go(func() {
				for n := range each {
					for _, i := range all {
						i.mailbox.PostUserMessage([2]int{sender, n})
					}
				}
			})
		}
		posting.Wait()
		synctest.Wait()
		for _, i := range all {
			var next [senders]int
			for _, message := range i.messages {
				from, ok := message.([2]int)
				if !ok || next[from[0]] != from[1] {
					t.Fatalf("%v, when %v were next", message, next)
				}
				next[from[0]]++
			}
			if len(i.messages) != senders*each {
				t.Errorf("%d messages of %d", len(i.messages), senders*each)
			}
		}
		crew.dismiss()
	})
}

// TestMailbox_GivesRoomBack keeps little room when it is empty after a rush.
func TestMailbox_GivesRoomBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := newMailbox()
		m.PostSystemMessage(&actor.SuspendMailbox{})
		for n := range 50 * maxIdleRoom {
			post(m, n)
		}
		m.PostSystemMessage(&actor.ResumeMailbox{})
		synctest.Wait()
		post(m, 1)
		synctest.Wait()
		if n := m.UserMessageCount(); n != 0 {
			t.Errorf("%d messages are left", n)
		}
		if room := cap(m.user) + cap(m.hand); room > 2*maxIdleRoom {
			t.Errorf("room for %d messages", room)
		}
		m.crew.dismiss()
	})
}
