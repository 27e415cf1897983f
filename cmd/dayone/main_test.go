package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dayone": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("EXAMPLES", examples)
		return nil
	}})
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
