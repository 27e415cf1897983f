package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/store/storetest"
)

// withPostgres stops the PostgreSQL server that tests may have started.
type withPostgres struct{ m *testing.M }

func (w withPostgres) Run() int { return storetest.Main(w.m) }

func TestMain(m *testing.M) {
	testscript.Main(withPostgres{m}, map[string]func(){"dayone": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("PORTAL", l.Addr().String()) // free a moment ago
			e.Setenv("PROJECT", project)
			e.Setenv("EXAMPLES", filepath.Join(project, "examples"))
			return l.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"blocks": blocks, "ports": ports, "up": up, "asked": asked, "tasks": tasks, "phones": phones, "differs": differs},
	})
}

// blocks FILE HEADING takes the fenced blocks below a heading of a page, so that a script can follow it to the letter:
// 1.sh, 2.json, 3.yaml and so on.
func blocks(ts *testscript.TestScript, _ bool, args []string) {
	_, section, ok := strings.Cut(ts.ReadFile(args[0]), "\n## "+args[1]+"\n")
	if !ok {
		ts.Fatalf("%s has no heading %q", args[0], args[1])
	}
	section, _, _ = strings.Cut(section, "\n## ")
	n, name := 0, ""
	var body strings.Builder
	for line := range strings.SplitAfterSeq(section, "\n") {
		fence, opens := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case opens && name == "":
			n++
			name = fmt.Sprintf("%d.%s", n, fence)
		case opens:
			ts.Check(os.WriteFile(ts.MkAbs(name), []byte(body.String()), 0o644))
			name = ""
			body.Reset()
		case name != "":
			body.WriteString(line)
		}
	}
}

// ports FILE... lets a configuration and those who call it use the script's own port.
func ports(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		was := ts.ReadFile(name)
		is := strings.ReplaceAll(was, "127.0.0.1:8080", ts.Getenv("PORTAL"))
		if was == is {
			ts.Fatalf("%s names no port", name)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(is), 0o644))
	}
}

// until asks again and again, for half a minute.
func until(ts *testscript.TestScript, what string, ask func() bool) {
	end, again := time.NewTimer(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer end.Stop()
	defer again.Stop()
	for !ask() {
		select {
		case <-again.C:
		case <-end.C:
			ts.Fatalf("waited in vain: %s", what)
		}
	}
}

// up waits for the server of the script.
func up(ts *testscript.TestScript, _ bool, _ []string) {
	until(ts, "the server", func() bool {
		r, err := http.Get("http://" + ts.Getenv("PORTAL") + "/healthz")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	})
}

// portal calls the API of the script's server.
func portal(ts *testscript.TestScript) func(method, path string, body, into any) {
	token := strings.TrimSpace(ts.ReadFile("portal.token"))
	return func(method, path string, body, into any) {
		raw, err := json.Marshal(body)
		ts.Check(err)
		req, err := http.NewRequest(method, "http://"+ts.Getenv("PORTAL")+"/api/v1"+path, bytes.NewReader(raw))
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		r, err := http.DefaultClient.Do(req)
		ts.Check(err)
		defer r.Body.Close()
		answer, err := io.ReadAll(r.Body)
		ts.Check(err)
		if r.StatusCode != http.StatusOK {
			ts.Fatalf("%s %s: %s %s", method, path, r.Status, answer)
		}
		if into != nil {
			ts.Check(json.Unmarshal(answer, into))
		}
	}
}

// asked waits until somebody is asked to agree.
func asked(ts *testscript.TestScript, _ bool, _ []string) {
	call := portal(ts)
	until(ts, "a request for an approval", func() bool {
		var open struct {
			Items []struct{ Deciders []struct{ Mail string } }
		}
		call("GET", "/approvals", nil, &open)
		return len(open.Items) > 0 && len(open.Items[0].Deciders) > 0
	})
}

// tasks STEP... does by hand all that the server asks for, until every run is over and these steps are among them, and says
// which they were.
func tasks(ts *testscript.TestScript, _ bool, steps []string) {
	call := portal(ts)
	did := map[string]bool{}
	until(ts, "the end of every run", func() bool {
		var open struct {
			Items []struct {
				ID, Step string
				Ask      []string
				Proof    bool
			}
		}
		call("GET", "/tasks?limit=200", nil, &open)
		for _, t := range open.Items {
			told := map[string]string{}
			for _, name := range t.Ask {
				told[name] = name + " of " + t.Step
			}
			done := map[string]any{"attrs": told}
			if t.Proof {
				done["evidence"] = "seen in its console"
			}
			call("POST", "/tasks/"+t.ID+"/complete", done, nil)
			fmt.Fprintln(ts.Stdout(), t.Step)
			did[t.Step] = true
		}
		var runs struct{ Items []struct{ State string } }
		call("GET", "/runs", nil, &runs)
		return len(open.Items) == 0 && !slices.ContainsFunc(steps, func(s string) bool { return !did[s] }) && len(runs.Items) > 0 && !slices.ContainsFunc(runs.Items, func(r struct{ State string }) bool { return r.State != "done" })
	})
}

// A demo that is killed again and again, wherever it is just then, still ends as one that was left in peace: each system
// has one account, and everything is confirmed.
func TestDemoSurvivesKill(t *testing.T) {
	t.Parallel()
	self, err := exec.LookPath("dayone") // testscript puts this test binary there, under that name
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	run := func(ctx context.Context) ([]byte, error) {
		c := exec.CommandContext(ctx, self, "demo", "--exit", "--json", "--listen", "127.0.0.1:0", "--latency", "20ms", "--data", data)
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		err := c.Run()
		if err != nil && ctx.Err() == nil {
			t.Fatalf("%v\n%s", err, errs.String())
		}
		return out.Bytes(), err
	}
	for _, life := range []time.Duration{250, 400, 550, 700} {
		ctx, cancel := context.WithTimeout(context.Background(), life*time.Millisecond)
		_, _ = run(ctx) // killed, or over before its time
		cancel()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	raw, err := run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got demoReport
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if a := got.Grants.After; a.Total != 24 || a.Confirmed != 24 || a.Failed != 0 || len(got.Systems) != 8 {
		t.Errorf("it ended as %+v", got)
	}
	if len(got.Messages) != 3 || len(got.Events) != 3 {
		t.Errorf("%d messages and %d invitations", len(got.Messages), len(got.Events))
	}
}

// A word that is no command ends as what it is: a script that mistypes one must not go on.
func TestWhatIsNoTextIsNotSaid(t *testing.T) {
	for said, want := range map[string]bool{"the\x1b[2J site closes": true, "the site \xff": true, "the site\n\tcloses – Łucja": false} {
		var out strings.Builder
		code := Main([]string{"brake", "discard", "brk_01jd9x0000000000000000000a", "--by", "kim", "--reason", said, "-c", filepath.Join(t.TempDir(), "none.yaml")}, io.Discard, &out)
		if got := code == exitUsage && strings.Contains(out.String(), "--reason holds what nobody can read"); got != want {
			t.Errorf("%q: %d, %s", said, code, out.String())
		}
	}
}

// What is said beside the flags is text as well, and is called as the help calls it.
func TestWhatIsNoTextIsNoArgument(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.yaml")
	for name, said := range map[string][]string{
		"BRAKE":     {"brake", "discard", "brk\x1b[2J", "--by", "kim", "--reason", "the site closes"},
		"PRODUCT":   {"product", "request", "Mia", "a product", "another \xff"},
		"TO":        {"approvals", "delegate", "kim", "to\x00"},
		"ATTRIBUTE": {"people", "correct", "Mia", "title=\u0085"},
		"nothing":   {"brake", "discard", "Łucja", "--by", "kim", "--reason", "the site closes"},
		"a file":    {"apply", filepath.Join(t.TempDir(), "a\xe4.yaml"), "--by", "kim"},
	} {
		var out strings.Builder
		code := Main(append(said, "-c", none), io.Discard, &out)
		refused := code == exitUsage && strings.Contains(out.String(), "holds what nobody can read")
		if want := name == strings.ToUpper(name); refused != want || want && !strings.HasPrefix(out.String(), "dayone: "+name) {
			t.Errorf("%s in %q: %d, %s", name, said, code, out.String())
		}
	}
}

// The bytes of a file would become others on their way to the server.
func TestAFileThatIsNoTextIsNotSent(t *testing.T) {
	for _, command := range [][]string{{"number", "import"}, {"calendar", "import", "DE"}} {
		file := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(file, []byte("number,reason\n+493012340001,T\xfcr\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		code := Main(append(command, file, "-c", filepath.Join(t.TempDir(), "none.yaml")), io.Discard, &out)
		if code != exitError || !strings.Contains(out.String(), "a.csv:2: the line holds what nobody can read") {
			t.Errorf("%q: %d, %s", command, code, out.String())
		}
	}
}

func TestUnknownCommandsAreUsageErrors(t *testing.T) {
	t.Parallel()
	var groups func(c *cobra.Command, path []string)
	groups = func(c *cobra.Command, path []string) {
		if c.HasSubCommands() {
			if code := Main(append(slices.Clone(path), "nosuchword"), io.Discard, io.Discard); code != exitUsage {
				t.Errorf("dayone %s nosuchword ends with %d", strings.Join(path, " "), code)
			}
		}
		for _, sub := range c.Commands() {
			groups(sub, append(slices.Clone(path), sub.Name()))
		}
	}
	groups(newRoot(), nil)
}
