package sim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"
)

// entry is one request that may have changed something, or what was done by hand, whose method is byHand.
type entry struct {
	At     time.Time   `json:"at"`
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

const byHand = "HAND"

// Hand is what somebody does at a simulated system without any request: another administrator, or an owner who signs in.
// Property is written as Value; without one it is a sign-in.
type Hand struct {
	Account  string `json:"account"`
	Property string `json:"property,omitempty"`
	Value    any    `json:"value,omitempty"`
}

// again does what a hand did.
func (h Hand) again(s Simulator) error {
	switch at := s.(type) {
	case interface {
		Set(account, property string, value any)
	}:
		at.Set(h.Account, h.Property, h.Value)
	case interface{ Login(account string) }:
		at.Login(h.Account)
	default:
		return fmt.Errorf("the simulator has no hands: %w", errors.ErrUnsupported)
	}
	return nil
}

// ByHand does something without a request, and writes it down as a request is.
func (d *Door) ByHand(h Hand, do func()) {
	d.mu.Lock()
	j := d.journal
	d.mu.Unlock()
	if j == nil {
		do()
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	do()
	body, err := json.Marshal(h)
	if err == nil {
		err = j.write(entry{At: d.opt.Time(), Method: byHand, Body: body})
	}
	if err != nil {
		panic(fmt.Sprintf("keeping what was done by hand: %v", err))
	}
}

func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	return err
}

// journal keeps entries in the order in which they were carried out.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

// Journal writes every request that may change something to a file before it is answered, and what is done by hand, so that a simulated system
// outlives the process that simulates it, as a real one would. Replay comes first.
func (d *Door) Journal(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal = &journal{file: f}
	return nil
}

type replayKey struct{}

// Replaying says that a request comes from a journal: it was let in once, and its credentials may be gone.
func Replaying(r *http.Request) bool { return r.Context().Value(replayKey{}) != nil }

// Replay carries out again what a journal holds. at is told the time of each request, so that the simulator's clock can
// show it. A missing journal is an empty one; a last line that was cut is one that was never answered.
func Replay(s Simulator, path string, at func(time.Time)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		at(e.At)
		if e.Method == byHand {
			var h Hand
			if err := json.Unmarshal(e.Body, &h); err != nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
			if err := h.again(s); err != nil {
				return fmt.Errorf("doing again what %s has: %w", path, err)
			}
			continue
		}
		r, err := http.NewRequestWithContext(context.WithValue(context.Background(), replayKey{}, true), e.Method, e.URL, bytes.NewReader(e.Body))
		if err != nil {
			return err
		}
		r.Header, r.RequestURI = e.Header, e.URL
		s.ServeHTTP(&discard{h: http.Header{}}, r)
	}
}

// keep carries a request out and writes it down before anybody hears of it.
func (j *journal) keep(w http.ResponseWriter, r *http.Request, body []byte, at time.Time, next http.Handler) {
	j.mu.Lock()
	held := &held{h: http.Header{}}
	next.ServeHTTP(held, r)
	err := j.write(entry{at, r.Method, r.URL.RequestURI(), r.Header, body})
	j.mu.Unlock()
	if err != nil {
		panic(http.ErrAbortHandler) // as good as never answered
	}
	for k, v := range held.h {
		w.Header()[k] = v
	}
	if held.status != 0 {
		w.WriteHeader(held.status)
	}
	_, _ = w.Write(held.body.Bytes())
}

// held is an answer that waits.
type held struct {
	h      http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header { return h.h }
func (h *held) WriteHeader(s int) {
	if h.status == 0 {
		h.status = s
	}
}
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }
