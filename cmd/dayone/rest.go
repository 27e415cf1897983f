package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// A server at rest gives back what work before took: Go's heap keeps twice what lives, SQLite the pages that it read last, and the
// system what the start took of the program's file.
const (
	restLook = time.Minute
	restful  = 16 << 20 // bytes allocated between two looks of a server that nobody asks: it looks after itself
)

// startSmall collects garbage more often until what it returns is called. What lives on after a start lies between what does
// not, so its garbage is memory for as long as the server runs.
func startSmall() (started func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	usual := debug.SetGCPercent(30)
	return sync.OnceFunc(func() { debug.SetGCPercent(usual) })
}

// rest gives memory back in each minute in which next to nothing happened, until ctx ends.
func (s *server) rest(ctx context.Context) {
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	look := time.NewTicker(restLook)
	defer look.Stop()
	for was := uint64(0); ; {
		metrics.Read(allocated)
		is := allocated[0].Value.Uint64()
		if is-was < restful {
			if err := s.store.Shrink(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("the database keeps memory that it does not need", "error", err)
			}
			debug.FreeOSMemory()
			if err := forgetProgram(); err != nil {
				s.log.Debug("the program's own pages stay in memory", "error", err)
			}
		}
		was = is
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}
