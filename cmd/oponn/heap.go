package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is how many bytes of garbage may gather before they are collected,
// however little is in use. By default it is as much as is in use: some
// megabytes, which a hot ballot fills twenty times a second.
const heapFloor = 48 << 20

// keepHeap makes the collector wait for heapFloor, now and after every
// collection. Whoever sets GOGC knows better.
func keepHeap() {
	if os.Getenv("GOGC") == "" {
		paceHeap(struct{}{})
	}
}

// paceHeap sets the collector's pace by what is in use, and comes back when
// the next collection finds the object that it leaves behind.
func paceHeap(struct{}) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	if used := live[0].Value.Uint64(); used < heapFloor {
		percent = int(heapFloor * 100 / max(used, 1<<20))
	}
	debug.SetGCPercent(percent)
	runtime.AddCleanup(new([16]byte), paceHeap, struct{}{})
}
