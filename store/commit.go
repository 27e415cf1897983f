package store

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dayone-hq/dayone"
)

var runTable = table{"run", []string{
	"id", "person", "event", "state", "ending", "started", "ended", "hash", "machine", "takes_back", "title_box", "box",
}, nil}

var stepTable = table{"step", []string{
	"run", "seq", "system", "state", "attempt", "tries", "since", "started", "ended", "waited", "next", "box",
}, []string{"run", "seq"}}

var holdingTable = table{"holding", []string{"person", "key", "system", "kind", "ref", "state", "box"}, []string{"person", "key"}}

var secretTable = table{"secret", []string{"id", "person", "box", "mark", "made", "opened", "tries"}, []string{"id"}}

// runBox is what a run says of its person.
type runBox struct {
	Plan dayone.Plan      `json:"plan"`
	Have []dayone.Holding `json:"have,omitempty"`
}

// stepBox is the part of a step that moves and has no column. Def is set only where the step is not as planned.
type stepBox struct {
	Wait    *dayone.Wait  `json:"wait,omitempty"`
	Asked   dayone.Attrs  `json:"asked,omitempty"`
	Result  dayone.Result `json:"result,omitzero"`
	Error   string        `json:"error,omitempty"`
	Kind    string        `json:"kind,omitempty"`
	Of      dayone.StepID `json:"of,omitempty"`
	Failing int64         `json:"failing,omitempty"`
	Parked  int64         `json:"parked,omitempty"`
	Alarmed int64         `json:"alarmed,omitempty"`
	Def     *dayone.Step  `json:"def,omitempty"`
	Agreed  bool          `json:"agreed,omitempty"`
}

// holdingBox is the part of a holding that nobody searches by.
type holdingBox struct {
	Role       string          `json:"role,omitempty"`
	Attrs      dayone.Attrs    `json:"attrs,omitempty"`
	Created    int64           `json:"created,omitempty"`
	Asked      dayone.Attrs    `json:"asked,omitempty"`
	Ours       bool            `json:"ours,omitempty"`
	Generation int             `json:"generation,omitempty"`
	Since      int64           `json:"since,omitempty"`
	Confirmed  int64           `json:"confirmed,omitempty"`
	Because    []dayone.Reason `json:"because,omitempty"`
	Run        dayone.RunID    `json:"run,omitempty"`
	Release    dayone.Release  `json:"release,omitzero"`
	Lost       int64           `json:"lost,omitempty"`
}

// Commit writes what happened to runs: their rows, holdings, tasks, secrets and records, in one transaction.
func (d *DB) Commit(ctx context.Context, batch []dayone.Progress) error {
	return d.write(ctx, func(t *tx) error {
		b := bulk{t: t, d: d}
		b.makeRoom(batch)
		for i := range batch {
			if err := b.progress(&batch[i]); err != nil {
				return err
			}
		}
		return b.flush()
	})
}

// bulk collects the rows of one commit, the last state of each. A box in a row is an unsealed until it is written.
type bulk struct {
	t        *tx
	d        *DB
	runs     []any
	begun    []dayone.RunID
	late     []*dayone.Run // moved after they had begun in the same commit
	steps    []any
	stepAt   map[stepKey]int // first value of a row already collected
	holdings []any
	holdAt   map[string]int
	seen     []seenTo
	secrets  []any
	tasked   []*dayone.Progress // those that close or open tasks
	calls    []any
	callAt   map[callKey]int
	old      []callKey // attempts that are too old to be kept, with those before them
	records  []dayone.Record
}

// makeRoom spares a big commit most of its copying.
func (b *bulk) makeRoom(batch []dayone.Progress) {
	steps, holdings, records := 0, 0, 0
	for i := range batch {
		p := &batch[i]
		steps, holdings, records = steps+len(p.Steps), holdings+len(p.Holdings)+len(p.Gone), records+len(p.Records)
	}
	b.steps, b.stepAt = make([]any, 0, steps*len(stepTable.columns)), make(map[stepKey]int, steps)
	b.holdings, b.holdAt = make([]any, 0, holdings*len(holdingTable.columns)), make(map[string]int, holdings)
	b.records = make([]dayone.Record, 0, records)
}

type stepKey struct {
	run dayone.RunID
	seq int
}

// unsealed is the value of a row's box until its commit is complete: a row that moved twice is sealed once.
type unsealed struct {
	person dayone.PersonID
	v      any
}

func (b *bulk) progress(p *dayone.Progress) error {
	r := &p.Run
	switch {
	case p.New:
		b.begun = append(b.begun, r.ID)
		b.runs = append(b.runs, string(r.ID), string(r.Person), string(r.Event), string(r.State), string(r.Ending), micros(r.Started), micros(r.Ended), r.Hash, r.Machine, string(r.Of),
			unsealed{r.Person, r.Title}, // by itself: lists show many
			unsealed{r.Person, &runBox{r.Plan, r.Have}})
		if r.Event != "" { // with the run, so that nothing can come between
			if _, err := b.t.exec(`UPDATE event SET run = $2 WHERE id = $1`, r.Event, r.ID); err != nil {
				return fmt.Errorf("noting the run of an event: %w", err)
			}
		}
	case p.Moved && slices.Contains(b.begun, r.ID):
		b.late = append(b.late, r)
	case p.Moved:
		if err := b.t.moved(r); err != nil {
			return err
		}
	}
	if err := b.over(p); err != nil {
		return err
	}
	for i := range p.Steps {
		b.step(r, &p.Steps[i])
	}
	b.log(r, p.Calls)
	for _, h := range slices.Concat(p.Holdings, p.Gone) {
		b.holding(r.Person, h)
		b.seen = append(b.seen, seenTo{r.Person, h})
	}
	for _, s := range p.Secrets {
		b.secrets = append(b.secrets, string(s.ID), string(s.Person), s.Box, b.d.sealer.Mark(s.ID), micros(b.d.now()), 0, 0)
	}
	if len(p.Closed)+len(p.Opened) > 0 {
		b.tasked = append(b.tasked, p)
	}
	for _, h := range p.Holds {
		if err := b.d.hold(b.t, h); err != nil {
			return err
		}
	}
	b.records = append(b.records, p.Records...)
	return b.t.circuits(p.Circuits)
}

func (t *tx) moved(r *dayone.Run) error {
	if _, err := t.exec(`UPDATE run SET state = $2, ending = $3, counted = CASE WHEN ended = $4 THEN counted ELSE 0 END, ended = $4, takes_back = $5 WHERE id = $1`, r.ID, r.State, r.Ending, micros(r.Ended), r.Of); err != nil {
		return fmt.Errorf("writing run: %w", err)
	}
	return nil
}

// over sees to what follows from the end of a run. What it confirmed may ask for more: its person is looked at even if we
// die now. A leaver's run that waits may wait for long, and what else it did has its own time.
func (b *bulk) over(p *dayone.Progress) error {
	r := &p.Run
	if !p.Moved || !r.State.Over() && r.State != dayone.RunWaiting {
		return nil
	}
	cut := slices.ContainsFunc(r.Plan.Steps, func(s dayone.Step) bool { return s.Urgent })
	if !r.State.Over() && !cut {
		return nil
	}
	at := r.Ended
	if at.IsZero() {
		at = b.d.now()
	}
	if _, err := b.t.exec(`UPDATE person SET wake = $2 WHERE id = $1 AND (wake = 0 OR wake > $2)`, r.Person, micros(at)); err != nil {
		return fmt.Errorf("waking the person of a run: %w", err)
	}
	if b.d.Over == nil {
		return nil
	}
	for _, l := range b.d.Over(*r) {
		if err := post(b.t, l); err != nil {
			return err
		}
	}
	return nil
}

func (b *bulk) step(r *dayone.Run, s *dayone.StepChange) {
	seq := s.Seq
	box := &stepBox{s.Wait, s.Asked, s.Result, s.Error, s.Kind, s.Of, micros(s.Failing), micros(s.Parked), micros(s.Alarmed), nil, s.Agreed}
	if seq >= len(r.Plan.Steps) || s.Step.Subject.Ref != r.Plan.Steps[seq].Subject.Ref || s.Step.Undo != r.Plan.Steps[seq].Undo {
		box.Def = &s.Step
	}
	b.steps = latest(b.steps, b.stepAt, stepKey{r.ID, seq},
		string(r.ID), seq, s.Step.Key.System, string(s.State), s.Attempt, s.Tries, micros(s.Since), micros(s.Started), micros(s.Ended),
		micros(s.Waited), micros(s.Next),
		unsealed{r.Person, box})
}

// latest appends a row, or replaces the one with the same key: a bulk statement must not meet a row twice.
func latest[K comparable](rows []any, seen map[K]int, key K, row ...any) []any {
	if at, dup := seen[key]; dup {
		copy(rows[at:], row)
		return rows
	}
	seen[key] = len(rows)
	return append(rows, row...)
}

func (b *bulk) holding(person dayone.PersonID, h dayone.Holding) {
	box := &holdingBox{
		h.Role, h.Attrs, micros(h.Created), h.Asked, h.Ours, h.Generation, micros(h.Since), micros(h.Confirmed), h.Because, h.Run, h.Release, micros(h.Lost),
	}
	key := h.Key.String()
	b.holdings = latest(b.holdings, b.holdAt, string(person)+" "+key,
		string(person), key, h.Key.System, h.Key.Kind, h.Ref, string(h.State), unsealed{person, box})
}

// segment is so many rows of one table as one statement writes, or fewer: they are sealed together.
type segment struct {
	t       table
	rows    []any
	seq     int64 // of the first record
	records []dayone.Record
	sealed  chan error
}

// flush writes what was collected. Boxes are sealed, and leaves of the ledger made, on all processors, while those that are
// ready are being written: sealing takes as long as writing does.
func (b *bulk) flush() error {
	if err := b.tasks(); err != nil {
		return err
	}
	if len(b.records) > 0 {
		if err := b.d.ledgerEnd(b.t); err != nil {
			return err
		}
	}
	keys, err := b.keys()
	if err != nil {
		return err
	}
	all := b.segments()
	var next atomic.Int64
	var workers sync.WaitGroup
	defer workers.Wait()
	defer next.Store(int64(len(all))) // nobody begins another one when something has gone wrong
	for range min(len(all)-1, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				all[i].sealed <- b.d.sealRows(&all[i], keys)
			}
		})
	}
	for i := range all {
		s := &all[i]
		if len(all) == 1 {
			err = b.d.sealRows(s, keys)
		} else {
			err = <-s.sealed
		}
		if err == nil {
			err = b.put(s)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range b.late {
		if err := b.t.moved(r); err != nil {
			return err
		}
	}
	if err := b.settleDrift(); err != nil {
		return err
	}
	return b.dropOldCalls()
}

// tasks closes and opens tasks, in the order of the runs. A run closes the task of every step that is done, since an
// earlier run may have left it open: nearly none is there.
func (b *bulk) tasks() error {
	var once []any
	for _, p := range b.tasked {
		for i := range p.Closed {
			once = append(once, p.Closed[i].Once)
		}
	}
	open := map[string]bool{}
	var is string
	if err := b.t.each(`SELECT once FROM task WHERE closed = 0 AND once IN `, once, []any{&is}, func() { open[is] = true }); err != nil {
		return fmt.Errorf("finding tasks: %w", err)
	}
	for _, p := range b.tasked {
		for _, task := range p.Closed {
			if !open[task.Once] {
				continue
			}
			if err := b.d.closeTask(b.t, p.Run.Person, task); err != nil {
				return err
			}
		}
		for _, task := range p.Opened {
			if err := b.d.openTask(b.t, task, placeOf(p, task.Step)); err != nil {
				return err
			}
			open[task.Once] = true
		}
	}
	return nil
}

// placeOf is which step of its run one is: of the plan, or one that came later.
func placeOf(p *dayone.Progress, id dayone.StepID) int {
	if i := slices.IndexFunc(p.Run.Plan.Steps, func(s dayone.Step) bool { return s.ID == id }); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(p.Steps, func(s dayone.StepChange) bool { return s.Step.ID == id }); i >= 0 {
		return p.Steps[i].Seq
	}
	return noStep
}

// keys are the boxes of the keys of everybody who has a box among the rows.
func (b *bulk) keys() (map[dayone.PersonID]string, error) {
	out := map[dayone.PersonID]string{}
	for _, rows := range [][]any{b.runs, b.steps, b.holdings, b.calls} {
		for _, v := range rows {
			if u, ok := v.(unsealed); ok {
				out[u.person] = ""
			}
		}
	}
	for _, r := range b.records {
		if r.Detail != nil {
			out[r.Person] = ""
		}
	}
	return out, b.d.keys(b.t, out)
}

// segments are all rows in the order in which they are written.
func (b *bulk) segments() []segment {
	var all []segment
	for _, w := range []struct {
		t    table
		rows []any
	}{{runTable, b.runs}, {stepTable, b.steps}, {holdingTable, b.holdings}, {secretTable, b.secrets}, {callTable, b.calls}} {
		for rows := range slices.Chunk(w.rows, chunks[0]*len(w.t.columns)) {
			all = append(all, segment{t: w.t, rows: rows, sealed: make(chan error, 1)})
		}
	}
	seq := b.t.seq + 1
	for some := range slices.Chunk(b.records, chunks[0]) {
		all = append(all, segment{t: recordTable, seq: seq, records: some, sealed: make(chan error, 1)})
		seq += int64(len(some))
	}
	return all
}

// sealRows makes of every box what is stored of it.
func (d *DB) sealRows(s *segment, keys map[dayone.PersonID]string) error {
	if s.records != nil {
		return d.leaves(s, keys)
	}
	for i, v := range s.rows {
		u, ok := v.(unsealed)
		if !ok {
			continue
		}
		var err error
		if s.rows[i], err = d.sealUnder(keys[u.person], u.v); err != nil {
			return fmt.Errorf("sealing %s: %w", s.t.name, err)
		}
	}
	return nil
}

func (b *bulk) put(s *segment) error {
	if s.records != nil {
		b.t.chainUp(b.d.sealer, s.rows)
	}
	err := b.t.put(s.t, s.rows)
	switch {
	case err == nil:
		return nil
	case s.t.name == holdingTable.name && taken(err):
		return fmt.Errorf("an account is bound to somebody else already: %w: %w", err, dayone.ErrConflict)
	case s.t.name == runTable.name && taken(err):
		return fmt.Errorf("run %s: a run of this person is under way: %w", b.suspects(), dayone.ErrConflict)
	}
	return err
}

// suspects are the runs of which one cannot begin.
func (b *bulk) suspects() string {
	if len(b.begun) == 1 {
		return string(b.begun[0])
	}
	return fmt.Sprintf("%s, or one of %d more", b.begun[0], len(b.begun)-1)
}
