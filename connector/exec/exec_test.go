package exec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/exec"
	execsim "github.com/dayone-hq/dayone/connector/exec/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var ctx = context.Background()

// TestMain makes this binary the program, too: it carries questions to the badge office, or misbehaves as it is told.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as-a-program" {
		os.Exit(carry(os.Args[2]))
	}
	if len(os.Args) > 2 && os.Args[1] == "misbehave" {
		os.Exit(misbehave(os.Args[2:]))
	}
	os.Exit(run(m))
}

// binary is this one in a folder of its own, which nobody else may write, whatever the umask was when it was built.
var binary string

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "exec")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "program")
	if err := os.WriteFile(binary, raw, 0o700); err != nil {
		panic(err)
	}
	return m.Run()
}

// ends are what the program ends with.
var ends = map[int]int{200: 0, 404: 10, 409: 11, 400: 12, 403: 13, 401: 14, 429: 15, 500: 16, 502: 16, 503: 16}

func carry(base string) int {
	raw, err := io.ReadAll(os.Stdin)
	var q struct{ Operation string }
	if err != nil || json.Unmarshal(raw, &q) != nil {
		return 12
	}
	fmt.Fprintln(os.Stderr, "asked:", string(raw)) // secrets and all: nobody must ever see it
	resp, err := http.Post(base+"/v1/"+q.Operation, "application/json", bytes.NewReader(raw))
	if err != nil {
		return 16
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return 16
	}
	if after := resp.Header.Get("Retry-After"); after != "" {
		fmt.Printf(`{"version":1,"error":{"message":"slow down","retry_after":%s}}`, after)
		return ends[resp.StatusCode]
	}
	_, _ = os.Stdout.Write(out)
	return ends[resp.StatusCode]
}

// alive is what the child of a program that hangs says.
const alive = "I live"

func misbehave(how []string) int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	switch how[0] {
	case "too-much":
		line := bytes.Repeat([]byte("x"), 1<<20)
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				return 1
			}
		}
	case "hang": // with a child that holds on to everything and tells that it lives
		self, _ := os.Executable()
		child := osexec.Command(self, "misbehave", "live", how[1])
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		_ = child.Start()
		_ = child.Wait()
	case "live":
		conn, err := net.Dial("tcp", how[1])
		if err != nil {
			return 1
		}
		_, _ = io.WriteString(conn, alive)
		_, _ = conn.Read(make([]byte, 1)) // nobody says anything: until it is ended
	case "environment":
		text, _ := json.Marshal(strings.Join(os.Environ(), "\n") + "\n" + strings.Join(os.Args, " "))
		fmt.Printf(`{"version":1,"error":{"message":%s}}`, text)
		return 12
	}
	return 0
}

// office is the badge office with the program that reaches it.
type office struct{ *execsim.Office }

func (o office) Settings(base string) map[string]string {
	s := o.Office.Settings(base)
	s["program"] = binary
	return s
}

func TestExec(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: exec.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return office{execsim.Behind(o)} },
		Person: dayone.Attrs{
			"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
			"last_name": dayone.Text("Chen"), "title": dayone.Text("Sales Engineer"), "employee_number": dayone.Text("emp_789"),
		},
		Grants:       []dayone.Grant{{Key: dayone.Key{Kind: "door", Name: "main"}}, {Key: dayone.Key{Kind: "door", Name: "lab"}}},
		CreateMethod: "POST",
		CreatePath:   "/v1/create",
		ReadPath:     "/v1/",
	})
}

// closedDir is a folder in which nobody else may write, whatever the umask: a test's own, with the one above it.
func closedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, o connector.Options, settings ...string) *connector.Guard {
	t.Helper()
	o.Settings = map[string]string{"program": binary, "secret": execsim.Token, "kinds": "door"}
	for i := 0; i+1 < len(settings); i += 2 {
		o.Settings[settings[i]] = settings[i+1]
	}
	g, err := connector.Open(exec.Factory, "badges", time.Now, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func account(action dayone.Action, want *dayone.Item, ref string) dayone.Act {
	return dayone.Act{Once: "0123456789abcdef", Action: action, Key: dayone.Key{System: "badges", Kind: dayone.AccountKindName}, Want: want, Subject: dayone.Subject{Ref: ref}, Since: time.Now(), Attempt: 1}
}

// What is no answer of the protocol says nothing: it is looked at again, and nobody is shown what it was.
func TestWhatIsNoAnswerSaysNothing(t *testing.T) {
	t.Parallel()
	for say, want := range map[string]string{
		``:                                  "it answered nothing",
		`Exception: token hunter22`:         "no JSON of this protocol",
		`{"version":2}`:                     "its answer is of version 2",
		`{}`:                                "its answer is of version 0",
		`{"version":1}{"version":1}`:        "something follows its answer",
		`{"version":1,"acount":{}}`:         "no JSON of this protocol",
		`{"version":1,"account":{"ref":7}}`: "has a number where string is expected",
		`{"version":1,"account":{"ref":"","state":"active"}}`:                                    "an account has no ref",
		`{"version":1,"account":{"ref":"B1","state":"sleeping"}}`:                                "there are active, disabled, staged and pending",
		`{"version":1,"account":{"ref":"B1","state":"active","attributes":{"x":{"y":1}}}}`:       "is an object",
		`{"version":1,"account":{"ref":"B1","state":"active","attributes":{"x":1.5}}}`:           "no whole number",
		`{"version":1}` + "\n\n" + `  `:                                                          "its answer has no account",
		`{"version":1,"error":{"message":"sorry"}}`:                                              "ends as if nothing were",
		"\xEF\xBB\xBF" + `{"version":1,"account":{"ref":"B1","state":"open","attributes":{}}}`:   `the state "open"`,
		`{"version":1,"account":{"ref":"B1","state":"active","attributes":{"x":["a",{"b":1}]}}}`: "list of something else",
	} {
		t.Run(strings.ReplaceAll(want, ",", ""), func(t *testing.T) {
			t.Parallel()
			g := said(t, say, 0)
			seen, err := g.Observe(ctx, dayone.Subject{Ref: "B1"})
			if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter22") {
				t.Errorf("it says %v (%+v), want %q", err, seen, want)
			}
		})
	}
}

// said is a system whose program says one thing and ends with a number.
func said(t *testing.T, say string, code int) *connector.Guard {
	t.Helper()
	dir := closedDir(t)
	answer := filepath.Join(dir, "answer")
	if err := os.WriteFile(answer, []byte(say), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "program")
	if err := os.WriteFile(script, []byte(fmt.Sprintf("#!/bin/sh\ncat >/dev/null\ncat '%s'\necho \"%s\" >&2\nexit %d\n", answer, execsim.Token, code)), 0o700); err != nil {
		t.Fatal(err)
	}
	return open(t, connector.Options{}, "program", "/bin/sh", "args", script) // a script that was just written may be busy for a moment
}

// Each end of a program has its meaning; what it says of itself is shown, without a secret in it, and not at length.
func TestEndsHaveKinds(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		10: dayone.ErrNotFound, 11: dayone.ErrConflict, 12: dayone.ErrInvalid, 13: dayone.ErrForbidden, 14: dayone.ErrAuth, 15: dayone.ErrThrottled,
		16: dayone.ErrUnavailable, 17: dayone.ErrNotYet, 18: dayone.ErrNoSeat, 19: dayone.ErrUnsupported, 1: dayone.ErrUnavailable, 255: dayone.ErrUnavailable,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			long := strings.Repeat("é", 495) + execsim.Token
			g := said(t, `{"version":1,"error":{"message":"`+long+`","code":"E7","next":"ask `+execsim.Token+`","retry_after":30}}`, code)
			err := g.Check(ctx)
			var f *dayone.Fault
			if !errors.Is(err, want) || !errors.As(err, &f) {
				t.Fatalf("exit %d says %v", code, err)
			}
			if f.Code != "E7" || !strings.Contains(f.Detail, "[reda") || strings.Contains(err.Error(), execsim.Token[:8]) || time.Until(f.RetryAt) < 20*time.Second {
				t.Errorf("exit %d says %+v", code, f)
			}
		})
	}
	var f *dayone.Fault
	if err := said(t, "slow", 15).Check(ctx); !errors.As(err, &f) || f.RetryAt.IsZero() {
		t.Errorf("a bare slow down says %v", err)
	}
	if err := said(t, "nothing of the protocol "+execsim.Token, 12).Check(ctx); strings.Contains(fmt.Sprint(err), execsim.Token) {
		t.Errorf("what is no answer is shown: %v", err)
	}
}

// overdue is a context whose time is over when the test says so, not when a slow machine's clock does.
type overdue struct {
	context.Context
	over chan struct{}
}

func (o overdue) Done() <-chan struct{} { return o.over }
func (o overdue) Err() error {
	select {
	case <-o.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// A program that hangs is ended with all that it has started. Its time is over when the child has said that it lives; whether
// it still does is seen by the line that it holds.
func TestAProgramThatHangsIsEndedWithItsChildren(t *testing.T) {
	t.Parallel()
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = on.Close() })
	g := open(t, connector.Options{Timeout: 2 * time.Minute}, "args", "misbehave, hang, "+on.Addr().String())
	until := overdue{context.Background(), make(chan struct{})}
	child := make(chan net.Conn, 1)
	go func() {
		defer close(until.over)
		defer close(child)
		conn, err := on.Accept()
		if err != nil {
			return
		}
		if _, err := io.ReadFull(conn, make([]byte, len(alive))); err == nil {
			child <- conn
		}
	}()
	err = g.Check(until)
	if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("it says %v", err)
	}
	_ = on.Close() // a program that ended without a child: nobody waits for one
	conn := <-child
	if conn == nil {
		t.Fatal("the child never lived")
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the child outlives its program: %v", err)
	}
}

func TestAnAnswerHasALimit(t *testing.T) {
	t.Parallel()
	err := open(t, connector.Options{}, "args", "misbehave, too-much, x").Check(ctx)
	if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "more than 32 MiB") {
		t.Errorf("it says %v", err)
	}
}

// Nothing secret and nothing of a person is in arguments or environment, and nothing of the server's environment but what
// was named.
func TestTheEnvironmentIsBare(t *testing.T) {
	t.Setenv("DAYONE_OFFICE_SECRET", "do not tell")
	t.Setenv("DAYONE_OFFICE_PROXY", "http://proxy")
	g := open(t, connector.Options{}, "args", "misbehave, environment, x", "environment", "DAYONE_OFFICE_PROXY")
	_, err := g.Observe(ctx, dayone.Subject{Keys: map[string]string{"email": "ada@company.com"}})
	text := fmt.Sprint(err)
	if !strings.Contains(text, "PATH=") || !strings.Contains(text, "DAYONE_OFFICE_PROXY=http://proxy") {
		t.Errorf("what was named is not there: %s", text)
	}
	for _, no := range []string{"do not tell", execsim.Token, "[redacted]", "ada@company.com"} {
		if strings.Contains(text, no) {
			t.Errorf("%q is in its environment: %s", no, text)
		}
	}
}

// What the program cannot do is a human's, and it is not called for it.
func TestWhatAProgramCannotDoIsATask(t *testing.T) {
	t.Parallel()
	behind := execsim.Behind(sim.Options{})
	srv := httptest.NewServer(behind)
	t.Cleanup(srv.Close)
	ref := behind.Seed(sim.Account{Email: "ada@company.com", State: dayone.Active})
	g := open(t, connector.Options{}, "args", "as-a-program, "+srv.URL, "actions", "create", "title", "Badge office")
	_, err := g.Apply(ctx, account(dayone.AccountDisable, &dayone.Item{Ref: ref, State: dayone.Disabled}, ref))
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrUnsupported) || !errors.As(err, &f) || !strings.Contains(f.Next, "do it by hand in Badge office, then complete this task") {
		t.Errorf("it says %v", err)
	}
	if s := g.Manifest.System("badges"); s.CanDelete {
		t.Error("a plan would delete")
	}
	for _, q := range behind.Asked {
		if q["operation"] != "get" {
			t.Errorf("it was called for %v", q["operation"])
		}
	}
}

// A password that Dayone makes reaches the program with the question, and one that the program makes comes back.
func TestSecretsComeWithTheQuestion(t *testing.T) {
	t.Parallel()
	dir := closedDir(t)
	script := filepath.Join(dir, "program")
	if err := os.WriteFile(script, []byte(`#!/bin/sh
read -r q
case $q in
*'"operation":"find"'*) echo '{"version":1,"accounts":[]}';;
*'"operation":"create"'*) echo "$q" > '`+dir+`/seen'; echo '{"version":1,"account":{"ref":"B1","state":"active","attributes":{}},"secrets":{"pin":"4711-made-there"}}';;
*) echo '{"version":1,"account":{"ref":"B1","state":"active","attributes":{}}}';;
esac
`), 0o700); err != nil {
		t.Fatal(err)
	}
	g := open(t, connector.Options{}, "program", "/bin/sh", "args", script, "password", "true")
	if a := g.Manifest.Account.Attributes["password"]; a.Secret == "" || !a.Once {
		t.Errorf("nobody makes the password: %+v", a)
	}
	a := account(dayone.AccountCreate, &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text("ada@company.com"), "floor": dayone.Int(3)}}, "")
	a.Subject.Keys = map[string]string{"email": "ada@company.com"}
	a.Secrets = map[string]dayone.Secret{"password": dayone.NewSecret("made-here-0815")}
	r, err := g.Apply(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	pin := r.Secrets["pin"]
	if pin.Reveal() != "4711-made-there" {
		t.Errorf("what the program made did not come back: %v", r.Secrets)
	}
	seen, _ := os.ReadFile(filepath.Join(dir, "seen"))
	var q struct {
		Secrets    map[string]string
		Secret     string
		Attributes map[string]any
	}
	if err := json.Unmarshal(seen, &q); err != nil || q.Secrets["password"] != "made-here-0815" || q.Secret != execsim.Token || q.Attributes["floor"] != 3.0 {
		t.Errorf("the question was %s, %v", seen, err)
	}
}

func TestSettingsAreJudged(t *testing.T) {
	t.Parallel()
	dir := closedDir(t)
	below := filepath.Join(dir, "open", "below")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"plain": 0o600, "shared": 0o777, "grouped": 0o775, "open/below/program": 0o700} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "open"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(below, "program"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link to a link": filepath.Join("open", "hop"), "open/hop": binary} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ setting, value, want string }{
		{"program", filepath.Join(dir, "link to a link"), "anybody may change " + filepath.Join(dir, "open") + ","},
		{"program", "badges", "no absolute path"},
		{"program", "/nowhere/badges", "is not there"},
		{"program", dir, "is no program"},
		{"program", filepath.Join(dir, "plain"), "may not be run"},
		{"program", filepath.Join(dir, "shared"), "anybody may change"},
		{"program", filepath.Join(dir, "grouped"), "whole group may change"},
		{"program", filepath.Join(dir, "open", "below", "program"), "anybody may change " + filepath.Join(dir, "open") + ","},
		{"program", filepath.Join(dir, "link"), "anybody may change " + filepath.Join(dir, "open") + ","},
		{"args", filepath.Join(dir, "shared"), "anybody may change"},
		{"args", "-v, --config=" + filepath.Join(dir, "grouped"), "whole group may change"},

		{"actions", "create, erase", `there is no "erase"`},
		{"kinds", "account", "is no kind"},
		{"attributes", "=x", "is no attribute"},
	} {
		settings := map[string]string{"program": binary, c.setting: c.value}
		_, err := connector.Open(exec.Factory, "badges", time.Now, connector.Options{Settings: settings})
		if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %q says %v, want %q", c.setting, c.value, err, c.want)
		}
	}
}

// A program that somebody opened to others after the server began is not called any more, and gets no secret.
func TestAProgramIsJudgedBeforeEachCall(t *testing.T) {
	t.Parallel()
	dir := closedDir(t)
	script := filepath.Join(dir, "program")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat >> '"+dir+"/seen'\necho '{\"version\":1}'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	g := open(t, connector.Options{}, "program", "/bin/sh", "args", script)
	if err := g.Check(ctx); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "seen"))
	for path, mode := range map[string]os.FileMode{script: 0o720, dir: 0o702} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		err := g.Check(ctx)
		if !errors.Is(err, dayone.ErrForbidden) || !strings.Contains(err.Error(), "may change "+path) {
			t.Errorf("%s with %o says %v", path, mode, err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "seen")); len(before) == 0 || !bytes.Equal(before, after) {
		t.Error("it was called")
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil { // as /tmp is
		t.Fatal(err)
	}
	if err := g.Check(ctx); err != nil {
		t.Errorf("in a sticky folder: %v", err)
	}
}
