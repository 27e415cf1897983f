package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// program is what is called.
type program struct {
	system, title string
	path          string
	args          []string
	secret        dayone.Secret
	environment   []string
	now           func() time.Time
}

// mostAnswer is how much a program may say, and lastWords how long after its end its children may keep its output open.
const (
	mostAnswer = 32 << 20
	lastWords  = 2 * time.Second
)

// unclear is an answer that says nothing. What was done is not known, so it is looked at again.
func (p *program) unclear(operation, format string, args ...any) *dayone.Fault {
	return &dayone.Fault{System: p.system, Op: operation, Err: dayone.ErrUnavailable, Detail: fmt.Sprintf(format, args...), Next: "mend the program; docs/systems/exec.md has the protocol"}
}

// ask runs the program once.
func (p *program) ask(ctx context.Context, q question) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	if text, hint := exposed(p.path, p.args); text != "" { // it was well when the server began
		return answer{}, &dayone.Fault{System: p.system, Op: q.Operation, Err: dayone.ErrForbidden, Detail: text, Next: hint + ", see whether it still is what you put there, and retry"}
	}
	q.Version, q.System, q.Secret = version, p.system, p.secret.Reveal()
	in, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &limited{most: mostAnswer, over: func() { stop(errTooMuch) }}
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Dir, cmd.Env = filepath.Dir(p.path), p.env()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), out, nil // what it says beside may hold secrets
	cmd.WaitDelay = lastWords
	group(cmd)
	err = cmd.Run()
	if cmd.Process != nil {
		end(cmd) // whoever it has started does not outlive it
	}
	var exit *exec.ExitError
	switch {
	case errors.Is(context.Cause(ctx), errTooMuch):
		return answer{}, p.unclear(q.Operation, "its answer has more than %d MiB", mostAnswer>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return answer{}, &dayone.Fault{System: p.system, Op: q.Operation, Err: dayone.ErrUnavailable, Detail: "the program took too long and was ended", Next: "make it faster, or give the system a longer timeout"}
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case errors.As(err, &exit):
		return answer{}, p.ended(q, exit.ExitCode(), out.b.Bytes())
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return answer{}, &dayone.Fault{System: p.system, Op: q.Operation, Err: dayone.ErrUnavailable, Detail: "the program cannot be started", Next: "look whether " + p.path + " is there and may be run by the user of the server"}
	}
	a, err := read(out.b.Bytes())
	if err != nil {
		return a, p.unclear(q.Operation, "%v", err)
	}
	if a.Error != nil {
		return a, p.unclear(q.Operation, "it says that something is wrong, and ends as if nothing were; it has to end with a number for it")
	}
	return a, nil
}

// ended is an end that is none of success.
func (p *program) ended(q question, code int, out []byte) error {
	kind, told := codes[code]
	f := &dayone.Fault{System: p.system, Op: q.Operation, Err: kind, Code: fmt.Sprintf("exit %d", code)}
	if !told {
		f.Err, f.Detail, f.Next = dayone.ErrUnavailable, "the program broke off", "call it by hand with the same question; docs/systems/exec.md shows how"
		if code < 0 {
			f.Code = "killed"
		}
	}
	if a, err := read(out); err == nil && a.Error != nil { // what is no answer is shown to nobody
		say := func(text, instead string) string {
			for _, secret := range append(slices.Collect(maps.Values(q.Secrets)), q.Secret) { // before it is cut: half of one is one
				if secret != "" {
					text = strings.ReplaceAll(text, secret, "[redacted]")
				}
			}
			return short(text, instead)
		}
		f.Detail, f.Next, f.Code = say(a.Error.Message, f.Detail), say(a.Error.Next, f.Next), say(a.Error.Code, f.Code)
		if a.Error.After > 0 {
			f.RetryAt = p.now().Add(time.Duration(min(a.Error.After, 86400)) * time.Second)
		}
	}
	if kind == dayone.ErrThrottled && f.RetryAt.IsZero() {
		f.RetryAt = p.now().Add(wait)
	}
	return f
}

// short is what a program says, as much of it as fits into a record.
func short(text, instead string) string {
	if text = strings.TrimSpace(strings.ToValidUTF8(text, "?")); text == "" {
		return instead
	}
	if r := []rune(text); len(r) > 500 {
		text = string(r[:500]) + "..."
	}
	return text
}

// env is what a program gets of the server's environment: where programs are, and what was named.
func (p *program) env() []string {
	names := []string{"PATH", "HOME", "TMPDIR"}
	if runtime.GOOS == "windows" {
		names = []string{"PATH", "SystemRoot", "SystemDrive", "TEMP", "TMP", "USERPROFILE", "ProgramFiles", "PSModulePath"}
	}
	var out []string
	for _, name := range append(names, p.environment...) {
		if v, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+v)
		}
	}
	return append(out, "LC_ALL=C.UTF-8")
}

var errTooMuch = errors.New("too much")

// limited keeps what a program says, up to a limit.
type limited struct {
	b    bytes.Buffer
	most int
	over func()
}

func (l *limited) Write(b []byte) (int, error) {
	if l.b.Len()+len(b) > l.most {
		l.over()
		return 0, errTooMuch
	}
	return l.b.Write(b)
}
