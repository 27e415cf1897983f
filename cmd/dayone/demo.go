package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/web"
)

func newDemo() *cobra.Command {
	var o demoOptions
	var exit, asJSON bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "See the whole product once, end to end, with simulated systems",
		Long: `Demo starts the server with an embedded database, a simulator of every system, an HR system, a reseller and a mailbox,
all on this machine and all of it gone when you leave (--data keeps it). HR says that Sarah Chen starts on Monday: her
access is computed from the example policies, planned, and brought about in eight systems; then the clock jumps to Monday
morning and she signs in for the first time. The portal stays up until you press Ctrl-C.

With --exit it ends there. Exit code 0 only if every grant is confirmed, or waits for something that was announced, and
each simulated system, read directly, shows what the policies want. A kept demo is judged once, at the end of its story:
from then on it goes on as you left it, and says what waits for whom.`,
		Example: `  dayone demo
  dayone demo --exit --json
  dayone demo --latency 20ms --data ./demo-data`,
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				exit = true
			}
			return runDemo(c.Context(), o, exit, asJSON, c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&o.now, "now", "", "what time it is in the demo, "+demoStart+" or later (default "+demoStart+")")
	f.StringVar(&o.data, "data", "", "keep database and systems in this folder, and go on from there")
	f.DurationVar(&o.latency, "latency", 0, "how long every simulated system takes to answer")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address of the portal; the next free port is taken")
	f.BoolVar(&o.log, "log", false, "write the server's log to standard error")
	f.BoolVar(&exit, "exit", false, "end after the first day instead of staying up")
	f.BoolVar(&asJSON, "json", false, "print one JSON object at the end and nothing else; implies --exit")
	return c
}

func demoLog(on bool) *slog.Logger {
	if !on {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

const sarahsEvent = "events/sarah-hired.json"

// runDemo is the story, told from the first line to the last.
func runDemo(ctx context.Context, o demoOptions, exit, asJSON bool, stdout io.Writer) error {
	if now, err := time.Parse(time.RFC3339, o.now); err == nil && now.Before(hearing) {
		return &usageError{fmt.Errorf("--now is %q, before HR says anything; write %s or later", o.now, demoStart)}
	}
	out := stdout
	if asJSON {
		out = io.Discard
	}
	d, err := newDemoWorld(ctx, o)
	if err != nil {
		return err
	}
	defer d.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &story{demoWorld: d, out: out, live: isTerminal(stdout) && !asJSON, dir: o.data}
	if err := s.remember(ctx); err != nil {
		return err
	}
	d.start(ctx)
	srv := newHTTP(d.portal())
	go func() { _ = srv.Serve(d.listener) }()
	d.closers = append(d.closers, func() { _ = srv.Close() })
	if o.data != "" {
		go d.keepTime(ctx, o.data)
		defer d.keepMoment(o.data)
	}
	on, over := "", s.wasTold()
	if over || len(s.past) > 0 {
		on = ", going on from before in " + o.data
	}
	fmt.Fprintf(out, "Dayone demo%s. It is %s. Portal: %s\n", on, d.clock.Now().UTC().Format("Mon 2 Jan 2006 15:04 MST"), d.cfg.Portal.URL)
	if err := s.meanwhile("Every system is asked what it offers", func() error { return d.known(ctx) }); err != nil && !over {
		return err
	}
	var report demoReport
	if over {
		report, err = s.goOn(ctx)
	} else {
		report, err = s.tell(ctx)
	}
	if asJSON && report.Run.ID != "" {
		err = errors.Join(writeJSON(stdout, report), err)
	}
	if err != nil {
		return err
	}
	if exit {
		return nil
	}
	if len(s.past) == 0 && !over {
		for _, scene := range []func(context.Context) error{s.slip, s.drifted, s.asked} {
			if err := s.meanwhile("Something happens on Monday", func() error { return scene(ctx) }); err != nil {
				return err
			}
		}
	}
	if err := s.meanwhile("The telephone systems are read", func() error { return s.readPhones(ctx) }); err != nil && !over { // its clock has jumped, or it was begun again
		return err
	}
	hers := ""
	if s.person != "" {
		hers = fmt.Sprintf("  Sarah         %[1]s/people/%[2]s\n  her run       %[1]s/runs/%[3]s\n", d.cfg.Portal.URL, s.person, s.run)
	}
	fmt.Fprintf(out, `
Look around: %s
%s  the mailbox   %[1]s/mailbox
  what is held  %[1]s/brakes
  who is asked  %[1]s/approvals
  the wizard    %[1]s/onboard, for somebody of the directory: try jonas web
  the numbers   %[1]s/numbers, and what telephone clusters have beside them: %[1]s/numbers/audit
  what differs  %[1]s/drift
As whom you look at it, above each page: as the administrator, as Sarah, as her manager, or as an auditor.
Ctrl-C ends it.
`, d.cfg.Portal.URL, hers)
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.errs:
		return err
	}
}

// tell is the story, from HR's event to how everything stands after the first day.
func (s *story) tell(ctx context.Context) (demoReport, error) {
	began := time.Now()
	if err := s.meanwhile("The telephone systems are read", func() error { return s.offered(ctx) }); err != nil {
		return demoReport{}, err
	}
	for _, scene := range []func(context.Context) error{s.friday, s.monday, s.again, s.measured} {
		if err := scene(ctx); err != nil {
			return demoReport{}, err
		}
	}
	report, wrong := s.judge(ctx)
	fmt.Fprintf(s.out, "\nTold in %s.\n", round(time.Since(began)))
	if len(wrong) > 0 {
		return report, fmt.Errorf("not as it should be: %s", strings.Join(wrong, "; "))
	}
	return report, s.told()
}

// portal is the web side of the demo: open, since it shows nobody real and listens on this machine only.
func (d *demoWorld) portal() http.Handler {
	return web.New(d.flow, web.Options{Base: d.cfg.Portal.URL, Open: true, LookAs: viewpoints, Meters: d.meters, Mailbox: mailbox{d.mail}, Version: version(), Log: d.log})
}

// mailbox shows the simulated mail server to the portal.
type mailbox struct{ s *mailsim.Server }

func (m mailbox) Messages() []web.Mail {
	var out []web.Mail
	for _, msg := range m.s.Messages() {
		one := web.Mail{ID: msg.ID, From: msg.From, To: msg.To, Subject: msg.Subject, Text: msg.Text, At: msg.Received}
		for _, c := range msg.Calendar {
			one.ICS = c.ICS
		}
		out = append(out, one)
	}
	return out
}

// keepTime notes the time as it goes, so that a world that was killed does not go back in it.
func (d *demoWorld) keepTime(ctx context.Context, dir string) {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		d.keepMoment(dir)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func isTerminal(w any) bool {
	if t, ok := w.(*tame); ok {
		w = t.w
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

var errNoPerson = errors.New("the demo has nobody to report on")
