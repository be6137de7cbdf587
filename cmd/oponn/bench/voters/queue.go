package voters

import (
	"container/heap"
	"sync"
)

// job is a vote that is due: a fresh one, or one to be sent again.
type job struct {
	due   int64
	again *vote
}

// queue keeps votes that are to be sent again, and counts those under way.
type queue struct {
	mu       sync.Mutex
	waiting  waiting
	underWay int // begun and not over, waiting or not
}

func newQueue() *queue { return &queue{} }

func (q *queue) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underWay++
}

func (q *queue) over() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underWay--
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.underWay == 0
}

// later keeps a vote until it is due once more.
func (q *queue) later(at int64, v *vote) {
	q.mu.Lock()
	defer q.mu.Unlock()
	heap.Push(&q.waiting, later{at, v})
}

// next says when the next one is due.
func (q *queue) next() (at int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return 0, false
	}
	return q.waiting[0].at, true
}

func (q *queue) pop() *vote {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, _ := heap.Pop(&q.waiting).(later)
	return l.vote
}

type later struct {
	at   int64
	vote *vote
}

// waiting is a heap, the next one first.
type waiting []later

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].at < w[j].at }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push implements heap.Interface.
func (w *waiting) Push(x any) {
	if l, ok := x.(later); ok {
		*w = append(*w, l)
	}
}

// Pop implements heap.Interface.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	l := (*w)[last]
	(*w)[last] = later{}
	*w = (*w)[:last]
	return l
}
