package voters

// line is a queue of at most as many numbers as it was made for.
type line struct {
	places   []int
	first, n int
}

func newLine(most int) line { return line{places: make([]int, most)} }

func (l *line) empty() bool { return l.n == 0 }

func (l *line) push(i int) {
	l.places[(l.first+l.n)%len(l.places)] = i
	l.n++
}

func (l *line) pop() int {
	i := l.places[l.first]
	l.first, l.n = (l.first+1)%len(l.places), l.n-1
	return i
}
