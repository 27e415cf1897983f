package sheet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/dayone-hq/dayone"
)

// lockText is what stands in a lock of ours: the machine, the process, and a word that no other has.
const lockText = "dayone %s %d %s\n"

// Lock takes the lock file of a list, which whoever else writes it takes as well: it is made before and removed after. One
// that is older than stale, or that a process of ours made which is no more, was left by somebody who died. ErrThrottled:
// somebody has it. Whoever calls sees to it that nobody else in this process does at the same time.
func Lock(path string, now time.Time, stale time.Duration) (free func(), err error) {
	host, _ := os.Hostname()
	mine := fmt.Sprintf(lockText, host, os.Getpid(), rand.Text())
	for range 2 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, bad := f.WriteString(mine)
			if bad = errors.Join(bad, f.Close()); bad != nil { // a lock that does not say whose it is could not be given back
				_ = os.Remove(path)
				return nil, fmt.Errorf("the lock %s cannot be written (%s): %w", path, cause(bad), dayone.ErrUnavailable)
			}
			return func() { // by what stands in it: another may have taken it for stale, and made its own
				if l, err := look(path); err == nil && l.text == mine {
					l.take(path)
				}
			}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("the lock %s cannot be made (%s): %w", path, cause(err), dayone.ErrUnavailable)
		}
		l, err := look(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was given back just now
		}
		if err != nil || now.Sub(l.at.At()) < stale && !l.abandoned(host) || !l.take(path) {
			break
		}
	}
	return nil, fmt.Errorf("somebody else writes it just now, as %s says: %w", path, dayone.ErrThrottled)
}

// lock is a lock file as it was seen.
type lock struct {
	at   Stamp
	text string
}

func look(path string) (lock, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return lock{}, err
	}
	info, err := os.Stat(path)
	return lock{Stamp{info}, string(raw)}, err
}

// is says that a lock file is the one that was seen, and that nobody has written it since.
func (l lock) is(path string) bool {
	now, err := look(path)
	return err == nil && now.text == l.text && now.at.Is(l.at)
}

// take removes the lock that was seen, and no other: two who see the same stale one do not both get it. It is put aside
// first, which only one of them can do, and put back if it turns out to be another that was made meanwhile.
func (l lock) take(path string) bool {
	if !l.is(path) {
		return false
	}
	aside := path + "." + rand.Text() + ".old"
	if os.Rename(path, aside) != nil {
		return false
	}
	ours := l.is(aside)
	if !ours {
		_ = os.Link(aside, path) // fails if there is yet another
	}
	_ = os.Remove(aside)
	return ours
}

// abandoned says that a lock is one of ours whose process is no more, or was an earlier life of this one.
func (l lock) abandoned(host string) bool {
	var by string
	var pid int
	if _, err := fmt.Sscanf(l.text, "dayone %s %d", &by, &pid); err != nil || by != host {
		return false
	}
	if pid == os.Getpid() {
		return true
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
