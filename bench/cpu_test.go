//go:build unix

package bench

import (
	"syscall"
	"time"
)

// cpu is what the process has used of all processors, garbage collection included: unlike the clock on the wall it means
// much the same on a busy machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
