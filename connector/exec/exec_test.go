package exec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	os.Exit(m.Run())
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
		for i := 0; ; i++ {
			_ = os.WriteFile(how[1], fmt.Append(nil, i), 0o600)
			time.Sleep(5 * time.Millisecond)
		}
	case "environment":
		text, _ := json.Marshal(strings.Join(os.Environ(), "\n") + "\n" + strings.Join(os.Args, " "))
		fmt.Printf(`{"version":1,"error":{"message":%s}}`, text)
		return 12
	}
	return 0
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// office is the badge office with the program that reaches it.
type office struct{ *execsim.Office }

func (o office) Settings(base string) map[string]string {
	s := o.Office.Settings(base)
	s["program"], _ = os.Executable()
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

func open(t *testing.T, o connector.Options, settings ...string) *connector.Guard {
	t.Helper()
	o.Settings = map[string]string{"program": self(t), "secret": execsim.Token, "kinds": "door"}
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
	dir := t.TempDir()
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

// A program that hangs is ended with all that it has started.
func TestAProgramThatHangsIsEndedWithItsChildren(t *testing.T) {
	t.Parallel()
	life := filepath.Join(t.TempDir(), "life")
	g := open(t, connector.Options{Timeout: 400 * time.Millisecond}, "args", "misbehave, hang, "+life)
	began := time.Now()
	err := g.Check(ctx)
	if !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("it says %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	first, err := os.ReadFile(life)
	if err != nil {
		t.Fatalf("the child never lived: %v", err)
	}
	deadline := time.Now().Add(300 * time.Millisecond) // a child that lives writes every 5 ms
	for time.Now().Before(deadline) {
		if now, _ := os.ReadFile(life); !bytes.Equal(now, first) {
			t.Fatal("the child outlives its program")
		}
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
	dir := t.TempDir()
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
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o600, "shared": 0o777} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ setting, value, want string }{
		{"program", "badges", "no absolute path"},
		{"program", "/nowhere/badges", "is not there"},
		{"program", dir, "is no program"},
		{"program", filepath.Join(dir, "plain"), "may not be run"},
		{"program", filepath.Join(dir, "shared"), "anybody may change"},
		{"actions", "create, erase", `there is no "erase"`},
		{"kinds", "account", "is no kind"},
		{"attributes", "=x", "is no attribute"},
	} {
		settings := map[string]string{"program": self(t), c.setting: c.value}
		_, err := connector.Open(exec.Factory, "badges", time.Now, connector.Options{Settings: settings})
		if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %q says %v, want %q", c.setting, c.value, err, c.want)
		}
	}
}
