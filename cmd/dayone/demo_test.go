package main

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Whoever looks around in the demo finds something: whom nobody took off the cluster, what was saved, what differs at a system, and what waits for an answer.
func TestTheDemoHasSomethingToShow(t *testing.T) {
	t.Parallel()
	s, ctx := demoForTest(t), t.Context()
	for _, step := range []func() error{
		func() error { return s.offered(ctx) }, func() error { return s.friday(ctx) }, func() error { return s.monday(ctx) },
		func() error { return s.measured(ctx) }, func() error { return s.slip(ctx) }, func() error { return s.drifted(ctx) }, func() error { return s.asked(ctx) }, func() error { return s.readPhones(ctx) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.flow.PlatformAudit(ctx, "cucm-sfo", flow.PlatformFilter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	leavers := map[string]bool{}
	for _, x := range a.Findings {
		if strings.HasPrefix(string(x.Kind), "leaver-") {
			leavers[string(x.Kind)] = true
		}
	}
	if !leavers["leaver-line"] || !leavers["leaver-device"] || !leavers["leaver-user"] {
		t.Errorf("of whoever left the cluster has %v", leavers)
	}
	// counted is what was done by itself, as soon as it is counted
	if _, err := s.await(ctx, "the count of what was done", func() (flow.Row, bool) {
		is, err := s.flow.Saved(ctx)
		ready, err2 := s.flow.Readiness(ctx)
		return flow.Row{}, err == nil && err2 == nil && is.Minutes > 0 && len(ready) > 0 && ready[0].N == 1
	}); err != nil {
		t.Fatal(err)
	}
	list, err := s.flow.Drift(ctx, flow.DriftFilter{Limit: 10})
	if err != nil || len(list) != 1 || list[0].Name != "Sarah Chen" || list[0].Key.String() != "google/account" {
		t.Errorf("what differs is %+v, %v", list, err)
	}
	if err := s.measured(ctx); err != nil { // a kept world has a baseline already
		t.Errorf("once more: %v", err)
	}
	for page, says := range map[string]string{"/team": "Sarah Chen", "/me": "Customers ask where they can call me"} { // her manager's: it waits for him
		req, err := http.NewRequestWithContext(ctx, "GET", s.cfg.Portal.URL+page, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "look-as", Value: "manager"})
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), says) {
			t.Errorf("her manager's %s is %d, %v, and does not say %q", page, res.StatusCode, err, says)
		}
	}
	for _, m := range s.mail.Messages() {
		if m.Subject == "Welcome to Company! Your onboarding guide" && (!strings.Contains(m.Text, "1. Unbox and power on\n2. Log in with your Google account") || !strings.Contains(m.Text, "- 9 AM: Intro call with your manager (John Doe)\n- 10 AM: Team standup")) {
			t.Errorf("Sarah is not told of her laptop, or of her call:\n%s", m.Text)
		}
	}
}

// A kept demo that was killed while it noted the time, or whose note is lost or old, goes on from what its books know.
func TestAKeptDemoDoesNotGoBackInTime(t *testing.T) {
	t.Parallel()
	o := demoOptions{data: t.TempDir(), listen: "127.0.0.1:0"}
	file := filepath.Join(o.data, "clock")
	open := func() *demoWorld {
		t.Helper()
		d, err := newDemoWorld(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	d.clock.Jump(hearing.AddDate(0, 0, 3))
	done := d.clock.Now()
	if err := d.store.Record(t.Context(), dayone.Record{At: done, What: "token ended", By: "the test"}); err != nil {
		t.Fatal(err)
	}
	d.keepMoment(o.data)
	d.close()
	for _, was := range []string{"", "17", "nonsense", strconv.FormatInt(hearing.UnixMicro(), 10)} {
		if err := os.WriteFile(file, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		d := open()
		if now := d.clock.Now(); now.Before(done.Truncate(time.Microsecond)) {
			t.Errorf("with the clock %q it is %s, and the books are at %s", was, now, done)
		}
		d.keepMoment(o.data)
		if kept, err := lastMoment(o.data); err != nil || kept.Before(done.Truncate(time.Microsecond)) {
			t.Errorf("kept is %s, %v", kept, err)
		}
		d.close()
	}
	if _, err := os.Stat(file + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("beside the clock is left %v", err)
	}
}
