package unity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/unity"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

// server is a living one with a connector to it.
type server struct {
	*connectortest.Story[*unitysim.Sim]
	people     []string // whose run it is, by id
	messagesGo bool     // somebody decided that messages are deleted
	mu         sync.Mutex
	secrets    []string // that were told to it
	heard      []string // every error and result that came out of the connector
}

// logged is all that the tests' process logs.
var logged = connectortest.Listen()

// begin opens one, which is judged at the end.
func begin(t *testing.T, settings ...string) *server { return beginBeside(t, nil, settings...) }

// beginBeside begins where another system is configured, too.
func beginBeside(t *testing.T, other func(string) *connector.Guard, settings ...string) *server {
	t.Helper()
	b := stageBeside(t, other, settings...)
	t.Cleanup(func() {
		for _, breach := range b.breaches() {
			t.Error(breach)
		}
	})
	return b
}

func stage(t *testing.T, settings ...string) *server { return stageBeside(t, nil, settings...) }

func stageBeside(t *testing.T, other func(string) *connector.Guard, settings ...string) *server {
	t.Helper()
	b := &server{}
	b.Story = connectortest.Begin(t, connectortest.Stage[*unitysim.Sim]{
		Factory: unity.Factory, System: "unity", New: unitysim.New, Options: sim.Options{Page: 3}, Settings: settings, Beside: other,
		Observe: func(_, op string, _ time.Duration, err error) { b.hear(op, err) },
	})
	for i := 0; i < len(settings); i += 2 {
		b.messagesGo = b.messagesGo || settings[i] == "delete_messages" && settings[i+1] == "true"
	}
	b.Sim.Fill()
	return b
}

// hear keeps what came out. Pointers are followed, which printing does not.
func (b *server) hear(what ...any) {
	var text []string
	for _, w := range what {
		err, is := w.(error)
		var f *dayone.Fault
		switch {
		case is && errors.As(err, &f):
			raw, _ := json.Marshal(f.Found) // as below
			text = append(text, fmt.Sprintf("%v %+v %s", err, *f, raw))
		case is:
			text = append(text, err.Error())
		default:
			raw, _ := json.Marshal(w) // what cannot be written so is printed
			text = append(text, fmt.Sprintf("%+v %s", w, raw))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, strings.Join(text, " "))
}

// breaches are what a careful connector never does: what is never sent, what is written of others, messages that went though
// nobody decided that, and a secret in an address, a log or what came out.
func (b *server) breaches() []string {
	out := b.Sim.Breaches(b.people...)
	for _, w := range b.Sim.Writes() {
		if w.Lost > 0 && !b.messagesGo {
			out = append(out, fmt.Sprintf("%s destroyed %d messages", w, w.Lost))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, secret := range slices.Concat(b.Sim.Secrets(), b.secrets) {
		in := regexp.MustCompile(`(^|[^0-9])` + regexp.QuoteMeta(secret) + `([^0-9]|$)`) // a short PIN is also a piece of a time
		for _, r := range b.Sim.Door().Requests() {
			if in.MatchString(r.Path + "?" + r.Query) {
				out = append(out, r.Method+" has a secret in its address")
			}
		}
		for _, text := range slices.Concat(b.heard, logged.Lines()) {
			if in.MatchString(text) {
				out = append(out, fmt.Sprintf("a secret stands in %q", text))
			}
		}
	}
	return out
}
