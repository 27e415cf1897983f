package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
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
each simulated system, read directly, shows what the policies want.`,
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
	began := time.Now()
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
	if err := d.known(ctx); err != nil {
		return err
	}
	on := ""
	if len(s.past) > 0 {
		on = ", going on from before in " + o.data
	}
	fmt.Fprintf(out, "Dayone demo%s. It is %s. Portal: %s\n", on, d.clock.Now().UTC().Format("Mon 2 Jan 2006 15:04 MST"), d.cfg.Portal.URL)
	if err := s.friday(ctx); err != nil {
		return err
	}
	if err := s.monday(ctx); err != nil {
		return err
	}
	if err := s.again(ctx); err != nil {
		return err
	}
	report, wrong := s.judge(ctx)
	if asJSON {
		if err := writeJSON(stdout, report); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nTold in %s.\n", round(time.Since(began)))
	if len(wrong) > 0 {
		return fmt.Errorf("not as it should be: %s", strings.Join(wrong, "; "))
	}
	if exit {
		return nil
	}
	if len(s.past) == 0 {
		if err := s.slip(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, `
Look around: %s
  Sarah         %[1]s/people/%[2]s
  her run       %[1]s/runs/%[3]s
  the mailbox   %[1]s/mailbox
  what is held  %[1]s/brakes
  the wizard    %[1]s/onboard, for somebody of the directory: try jonas web
Ctrl-C ends it.
`, d.cfg.Portal.URL, s.person, s.run)
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.errs:
		return err
	}
}

// portal is the web side of the demo: open, since it shows nobody real and listens on this machine only.
func (d *demoWorld) portal() http.Handler {
	return web.New(d.flow, web.Options{Base: d.cfg.Portal.URL, Open: true, Meters: d.meters, Mailbox: mailbox{d.mail}, Version: version(), Log: d.log})
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

// story tells what happens and keeps what the report says.
type story struct {
	*demoWorld
	out    io.Writer
	live   bool
	dir    string // where the world is kept; ""
	person dayone.PersonID
	run    dayone.RunID
	first  dayone.Run // as it stood before the clock jumped
	shown  map[dayone.RunID]map[dayone.StepID]dayone.StepState
	past   map[dayone.RunID]dayone.Run // of a kept world, as they stood when it began again
	before grantCount
}

const sarah = "sarah.chen@company.com"

// remember looks at what a kept world has behind it, so that it is not told as if it happened now.
func (s *story) remember(ctx context.Context) error {
	s.shown, s.past = map[dayone.RunID]map[dayone.StepID]dayone.StepState{}, map[dayone.RunID]dayone.Run{}
	row, err := s.flow.Named(ctx, sarah)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: row.ID})
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r, err = s.store.Run(ctx, r.ID); err != nil { // the engine, which knows runs in flight, does not run yet
			return err
		}
		s.past[r.ID], s.shown[r.ID] = r, map[dayone.StepID]dayone.StepState{}
		for _, st := range r.Steps {
			s.shown[r.ID][st.Step.ID] = st.State
		}
	}
	return nil
}

// recall says in a line what a run had behind it.
func (s *story) recall(id dayone.RunID) {
	r, ok := s.past[id]
	if !ok {
		return
	}
	done := 0
	for _, st := range r.Steps {
		if st.State.Over() {
			done++
		}
	}
	fmt.Fprintf(s.out, "  From before, %s: %s, %d of %d steps.\n", r.Started.UTC().Format("Mon 2 Jan 15:04 MST"), r.Title, done, len(r.Steps))
}

// friday is the hire: HR's event, byte for byte as the document prints it, to a run that has come to rest.
func (s *story) friday(ctx context.Context) error {
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		return err
	}
	began := time.Now()
	status, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", body)
	if err != nil {
		return fmt.Errorf("posting HR's event: %w", err)
	}
	said := "signed and accepted"
	if len(s.past) > 0 {
		said = "said before, signed and accepted again"
	}
	fmt.Fprintf(s.out, "\nHR: employee.hired, event evt_abc123, %s (%d) in %s.\n", said, status, round(time.Since(began)))
	row, err := s.await(ctx, func() (flow.Row, bool) {
		row, err := s.flow.Named(ctx, sarah)
		return row, err == nil && row.Managed
	})
	if err != nil {
		return err
	}
	s.person = row.ID
	if err := s.planned(ctx, row); err != nil {
		return err
	}
	s.recall(s.run)
	r, err := s.watch(ctx, s.run)
	if err != nil {
		return err
	}
	s.first = r
	if s.before, err = s.count(ctx); err != nil {
		return err
	}
	s.summary(r)
	return nil
}

// planned waits for Sarah's run and says what it is going to do.
func (s *story) planned(ctx context.Context, row flow.Row) error {
	_, err := s.await(ctx, func() (flow.Row, bool) {
		runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
		if err != nil || len(runs) == 0 {
			return row, false
		}
		s.run = runs[len(runs)-1].ID // the first one
		return row, true
	})
	if err != nil {
		return err
	}
	r, err := s.flow.RunOf(ctx, s.run)
	if err != nil {
		return err
	}
	grants, systems := 0, map[string]bool{}
	by := map[string]int{}
	for _, st := range r.Plan.Steps {
		if st.Implied || st.Action == dayone.MessageSend {
			continue
		}
		grants++
		systems[st.Key.System] = true
		for _, b := range st.Because {
			by[b.Policy]++
		}
	}
	var parts []string
	for _, p := range s.flow.Active().Policies {
		if n := by[p.ID]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.ID, n))
		}
	}
	fmt.Fprintf(s.out, "%s, %s in %s, starts %s.\n", row.Name, row.Title, row.Location, row.Starts.In(s.zone(ctx)).Format("Monday 2 January"))
	fmt.Fprintf(s.out, "Policies: %d grants in %d systems (%s). Plan: %d steps, %s.\n\n", grants, len(systems), strings.Join(parts, ", "), len(r.Plan.Steps), r.Hash[:12])
	return nil
}

func (s *story) zone(ctx context.Context) *time.Location {
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return time.UTC
	}
	z, _ := l.Person.Location()
	return z
}

// await asks until the answer is there.
func (s *story) await(ctx context.Context, ask func() (flow.Row, bool)) (flow.Row, error) {
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	for {
		if row, ok := ask(); ok {
			return row, nil
		}
		select {
		case <-t.C:
		case <-end.C:
			events, _ := s.flow.Events(ctx, flow.EventFilter{Limit: 3})
			return flow.Row{}, fmt.Errorf("nothing came of the event: %+v", events)
		case <-ctx.Done():
			return flow.Row{}, ctx.Err()
		case err := <-s.errs:
			return flow.Row{}, err
		}
	}
}

// watch shows a run while it goes on, until it has come to rest.
func (s *story) watch(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	moved := s.flow.Watch(id)
	defer moved.Stop()
	if s.shown[id] == nil {
		s.shown[id] = map[dayone.StepID]dayone.StepState{}
	}
	for {
		r, err := s.flow.RunOf(ctx, id)
		if err != nil {
			return r, err
		}
		s.lines(r, s.shown[id])
		if resting(r) {
			s.erase()
			return r, nil
		}
		s.progress(r)
		select {
		case <-moved.Ready():
			moved.Take()
		case <-time.After(time.Second): // a wait that the clock ends
		case <-ctx.Done():
			return r, ctx.Err()
		case err := <-s.errs:
			return r, err
		}
	}
}

// resting says that nothing more happens without a human, or without the clock.
func resting(r dayone.Run) bool {
	if r.State.Over() {
		return true
	}
	if r.State != dayone.RunWaiting {
		return false
	}
	for _, st := range r.Steps {
		if st.State == dayone.StepWaiting && st.Wait != nil && !st.Wait.Kind.There() || !st.State.Over() && st.State != dayone.StepWaiting {
			return false // the reseller's parcel is on its way
		}
	}
	return true
}

// lines says what has begun and ended since the last look, in the order in which it did.
func (s *story) lines(r dayone.Run, shown map[dayone.StepID]dayone.StepState) {
	type line struct {
		at   time.Time
		text string
	}
	var ls []line
	for _, st := range r.Steps {
		was := shown[st.Step.ID]
		if st.State == was || st.State == dayone.StepPending {
			continue
		}
		shown[st.Step.ID] = st.State
		tier := fmt.Sprintf("%-10s", st.Step.Tier)
		if was == "" && !st.Started.IsZero() {
			ls = append(ls, line{st.Started, fmt.Sprintf("start  %s  %s", tier, st.Step.Key)})
		}
		if st.State == dayone.StepRunning {
			continue
		}
		took := ""
		if !st.Ended.IsZero() && !st.Started.IsZero() {
			took = round(st.Ended.Sub(st.Started)).String()
		}
		at := cmp.Or(st.Ended, r.Started)
		ls = append(ls, line{at, fmt.Sprintf("%-6s %s  %-36s %-34s %s", word(st), tier, st.Step.Key, told(st), took)})
	}
	slices.SortStableFunc(ls, func(a, b line) int { return a.at.Compare(b.at) })
	if len(ls) > 0 {
		s.erase()
	}
	for _, l := range ls {
		fmt.Fprintf(s.out, "  %s  %s\n", l.at.UTC().Format("15:04:05.000"), strings.TrimRight(l.text, " "))
	}
}

func word(st dayone.StepRun) string {
	switch st.State {
	case dayone.StepWaiting:
		return "wait"
	case dayone.StepRetrying:
		return "retry"
	default:
		return string(st.State)
	}
}

// told is what a step came to, in a few words.
func told(st dayone.StepRun) string {
	switch st.State {
	case dayone.StepWaiting:
		if st.Wait != nil {
			return "for " + string(st.Wait.Kind)
		}
	case dayone.StepFailed, dayone.StepBlocked, dayone.StepSkipped, dayone.StepRetrying:
		return st.Error
	case dayone.StepDone:
		switch {
		case st.Step.Action == dayone.MessageSend:
			return "sent"
		case !st.Result.Changed():
			return "already so"
		case st.Result.Now == nil:
			return "removed"
		case st.Step.Action == dayone.AccountCreate:
			return "created, " + string(st.Result.Now.State)
		case st.Step.Action == dayone.AccountEnable:
			return "opened"
		case st.Result.Now.Attrs.Text("serial") != "":
			return "serial " + st.Result.Now.Attrs.Text("serial")
		case st.Result.Now.Role != "":
			return "as " + st.Result.Now.Role
		}
		return "granted"
	}
	return ""
}

// progress is the one line that is written over, on a terminal.
func (s *story) progress(r dayone.Run) {
	if !s.live {
		return
	}
	done, running := 0, []string{}
	for _, st := range r.Steps {
		if st.State.Over() {
			done++
		}
		if st.State == dayone.StepRunning {
			running = append(running, st.Step.Key.String())
		}
	}
	bar := strings.Repeat("#", done*20/max(1, len(r.Steps)))
	line := fmt.Sprintf("  [%-20s] %d of %d  %s", bar, done, len(r.Steps), strings.Join(running, ", "))
	if len(line) > 118 {
		line = line[:115] + "..."
	}
	fmt.Fprint(untamed(s.out), "\r\x1b[K")
	fmt.Fprint(s.out, line)
}

func (s *story) erase() {
	if s.live {
		fmt.Fprint(untamed(s.out), "\r\x1b[K")
	}
}

func (s *story) summary(r dayone.Run) {
	c := counts(r)
	fmt.Fprintf(s.out, "\n%s: %d steps in %s (the longest chain of calls took %s). %d changed, %d were so already, %d failed, %d wait.\n",
		r.Title, len(r.Steps), round(lastAnswer(r).Sub(r.Started)), round(engine.CriticalPath(r)), c.Changed, c.Already, c.Failed, c.Waiting)
	for _, st := range r.Steps {
		if st.State == dayone.StepWaiting && st.Wait != nil {
			fmt.Fprintf(s.out, "  %s waits: %s.\n", st.Step.Key, st.Wait.Note)
		}
	}
	fmt.Fprintf(s.out, "Grants: %d, %d confirmed, %d before their first login.\n", s.before.Total, s.before.Confirmed, s.before.PendingFirstLogin)
	for _, m := range s.mail.Messages() {
		fmt.Fprintf(s.out, "  mail to %s: %s\n", strings.Join(m.To, ", "), m.Subject)
	}
}

// monday is the first day: accounts open at its first instant, and Sarah signs in.
func (s *story) monday(ctx context.Context) error {
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return err
	}
	zone, _ := l.Person.Location()
	start := l.Person.Start.In(zone)
	morning := time.Date(start.Year(), start.Month(), start.Day(), 8, 0, 0, 0, zone)
	if morning.After(s.clock.Now()) {
		fmt.Fprintf(s.out, "\nThe clock jumps to %s.\n\n", morning.Format("Monday 2 January 15:04 MST"))
		s.clock.Jump(morning)
	}
	id := s.run
	if s.first.Started.Before(l.Person.Start) { // else she had begun when HR said so, and her accounts opened at once
		if id, err = s.nextRun(ctx); err != nil {
			return err
		}
	}
	if id == "" {
		return nil // a kept world in which it is Monday already
	}
	s.recall(id)
	if was, ok := s.past[id]; ok && was.State.Over() {
		return nil
	}
	if _, err := s.watch(ctx, id); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nSarah opens her laptop and signs in for the first time.\n\n")
	s.login(sarah)
	s.clock.Jump(s.clock.Now().Add(16 * time.Minute)) // the next look at what waited for her
	r, err := s.watchOver(ctx, id)
	if err != nil {
		return err
	}
	c := counts(r)
	fmt.Fprintf(s.out, "\n%s: %s, %d steps, %d failed.\n", r.Title, r.State, len(r.Steps), c.Failed)
	return nil
}

// nextRun waits for the run that the wake-up at the start of the first day begins.
func (s *story) nextRun(ctx context.Context) (dayone.RunID, error) {
	var id dayone.RunID
	_, err := s.await(ctx, func() (flow.Row, bool) {
		runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
		if err != nil || len(runs) == 0 {
			return flow.Row{}, false
		}
		if runs[0].ID != s.run {
			id = runs[0].ID
			return flow.Row{}, true
		}
		l, err := s.flow.Preview(ctx, s.person)
		return flow.Row{}, err == nil && len(l.Plan.Steps) == 0
	})
	return id, err
}

// watchOver watches until nothing waits any more.
func (s *story) watchOver(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	for {
		r, err := s.watch(ctx, id)
		if err != nil || r.State.Over() {
			return r, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// again posts the same event once more: nothing happens, and it says so.
func (s *story) again(ctx context.Context) error {
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		return err
	}
	before := s.calls()
	if _, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", body); err != nil {
		return err
	}
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nHR says the same event again: it was said before, nothing changes (%d runs, %d calls to systems).\n", len(runs), s.calls()-before)
	return nil
}

// calls to simulated targets so far. What the dashboard counts, from time to time, is about nobody.
func (s *story) calls() int {
	n := 0
	for _, sys := range demoSystems {
		for _, r := range s.systems[sys.name].Door().Requests() {
			n += map[bool]int{true: 1}[r.Query != "count=1&startIndex=1"]
		}
	}
	return n
}

// judge says how everything stands, and what is not as it should be.
func (s *story) judge(ctx context.Context) (demoReport, []string) {
	report, err := s.report(ctx)
	if err != nil {
		return report, []string{err.Error()}
	}
	var wrong []string
	if report.Grants.After.Failed > 0 || report.Run.Failed > 0 {
		wrong = append(wrong, fmt.Sprintf("%d grants failed", report.Grants.After.Failed))
	}
	if a := report.Grants.After; a.Confirmed+a.PendingFirstLogin != a.Total {
		wrong = append(wrong, fmt.Sprintf("%d of %d grants are confirmed", a.Confirmed, a.Total))
	}
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return report, []string{err.Error()}
	}
	wrong = append(wrong, s.differences(l.Want, sarah)...)
	fmt.Fprintf(s.out, "Grants: %d of %d confirmed in %d systems. Each simulated system, read directly, %s.\n", report.Grants.After.Confirmed, report.Grants.After.Total, len(report.Systems),
		map[bool]string{true: "shows what the policies want", false: "was compared with what the policies want"}[len(wrong) == 0])
	return report, wrong
}

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(100 * time.Microsecond)
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
