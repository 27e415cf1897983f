package connectortest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log is all that a process logged, at every level. A connector has no log of its own, so what it says goes to the one that
// everybody has.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Listen hears the log of the process from now on, as text and as JSON: a type may hide a secret in one and show it in the other.
func Listen() *Log {
	l := &Log{}
	slog.SetDefault(slog.New(l.handler()))
	return l
}

func (l *Log) handler() slog.Handler {
	all := &slog.HandlerOptions{Level: slog.Level(-1000), ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey { // a short PIN is also a piece of a time
			return slog.Attr{}
		}
		return a
	}}
	return slog.NewMultiHandler(slog.NewTextHandler(l, all), slog.NewJSONHandler(l, all))
}

// Write keeps what a handler writes.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// Lines are what was heard.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}
