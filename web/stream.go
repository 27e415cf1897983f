package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// How often a stream speaks.
const (
	liveEvery  = 250 * time.Millisecond // at most four times a second; what happens between is merged
	ganttEvery = time.Second
	idleEvery  = 15 * time.Second // while nothing moves: times go on, and proxies see that we are here
	liveWrite  = 30 * time.Second // for a reader that has gone
)

// memory is what a reader has seen: three bytes a step, over everything that its row, node and icon show. It is the id of
// every event, so a reader that comes back says itself what it knows, and no server has to remember it.
type memory []byte

func (m memory) String() string { return base64.RawURLEncoding.EncodeToString(m) }

// remember reads a reader's memory of a run; known is false if it is none, or of other steps.
func (b *board) remember(text string) (m memory, known bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 3*len(b.run.Steps) || len(raw) == 0 {
		return make(memory, 3*len(b.run.Steps)), false
	}
	return raw, true
}

// seen is the memory of a reader who knows the run as it is now.
func (b *board) seen() memory {
	m := make(memory, 3*len(b.run.Steps))
	for i := range b.run.Steps {
		b.note(m, i)
	}
	return m
}

func (b *board) note(m memory, i int) { copy(m[3*i:3*i+3], b.mark(i)) }

func (b *board) mark(i int) []byte {
	s := &b.run.Steps[i]
	h := fnv.New32a()
	fmt.Fprintf(h, "%s|%d|%d|%s|%s", s.State, s.Attempt, s.Next.UnixMilli(), s.Error, s.Kind)
	if s.Wait != nil {
		fmt.Fprintf(h, "|%s|%s", s.Wait.Kind, s.Wait.Note)
	}
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], h.Sum32())
	return sum[1:]
}

// changed lists steps that are otherwise than a reader remembers.
func (b *board) changed(m memory) []int {
	var list []int
	for i := range b.run.Steps {
		if !bytes.Equal(m[3*i:3*i+3], b.mark(i)) {
			list = append(list, i)
		}
	}
	return list
}

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newStream(w http.ResponseWriter) (*stream, error) {
	s := &stream{w, http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies pass each event on at once
	w.WriteHeader(http.StatusOK)
	return s, s.write("retry: 1000\n\n")
}

func (s *stream) write(text string) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(liveWrite)) // a server's own deadline is for answers that end
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (s *stream) event(name, id, data string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "event: %s\n", name)
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	for line := range strings.Lines(data) {
		fmt.Fprintf(&b, "data: %s\n", strings.TrimRight(line, "\r\n"))
	}
	b.WriteString("\n")
	return s.write(b.String())
}

// teller puts what a reader does not know into events.
type teller interface {
	// tell says what is new. It is over when nothing can be new any more.
	tell(ctx context.Context, s *stream) (over bool, err error)
	// pass is called each second while nothing moves; long says that this has been so for a while.
	pass(ctx context.Context, s *stream, long bool) error
}

// follow watches a run and lets a teller speak, at most liveEvery.
func (p *portal) follow(w http.ResponseWriter, r *http.Request, id dayone.RunID, t teller) error {
	end, err := p.lives(w, r)
	if err != nil {
		return err
	}
	defer end()
	moved := p.flow.Watch(id) // before the first look: what moves in between is told twice rather than never
	defer moved.Stop()
	s, err := newStream(w)
	if err != nil {
		return nil // the reader has gone
	}
	ctx := r.Context()
	pause := time.NewTimer(0)
	defer pause.Stop()
	idle := time.NewTicker(ganttEvery)
	defer idle.Stop()
	quiet := 0
	out := p.outs(r)
	for !out() {
		over, err := t.tell(ctx, s)
		if err != nil || over {
			return p.lost(r, err)
		}
		pause.Reset(liveEvery)
		select {
		case <-ctx.Done():
			return nil
		case <-p.opt.Stopping:
			return nil
		case <-pause.C:
		}
		waiting := true
		for waiting {
			select {
			case <-ctx.Done():
				return nil
			case <-p.opt.Stopping:
				return nil
			case <-moved.Ready():
				moved.Take()
				waiting = false
				quiet = 0
			case <-idle.C:
				if out() {
					return nil
				}
				quiet++
				if err := t.pass(ctx, s, time.Duration(quiet)*ganttEvery >= idleEvery); err != nil {
					return p.lost(r, err)
				}
				if time.Duration(quiet)*ganttEvery >= idleEvery {
					quiet = 0
				}
			}
		}
	}
	return nil
}

// outs says, looking once in a while, whether its reader is not in any more: signed out, thrown out, or with a token that has
// ended. A page that was opened before does not outlive that; asking again leads to the door.
func (p *portal) outs(r *http.Request) func() bool {
	looked, out := p.access.now(), false
	return func() bool {
		if now := p.access.now(); !out && now.Sub(looked) >= idleEvery {
			_, in := p.access.caller(r)
			looked, out = now, !in
		}
		return out
	}
}

// lost: an error of ours is logged, a reader that has gone is none.
func (p *portal) lost(r *http.Request, err error) error {
	if err != nil && r.Context().Err() == nil {
		p.log.Info("a live page ended", "path", r.URL.Path, "error", err)
	}
	return nil
}
