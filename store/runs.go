package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dayone-hq/dayone"
)

const runHead = `SELECT r.id, r.person, r.event, r.state, r.ending, r.started, r.ended, r.hash, r.machine, r.takes_back, r.title_box, p.key_box`

const runTables = ` FROM run r LEFT JOIN person p ON p.id = r.person`

// runRow is a run that is being read, with the box of its person's key.
type runRow struct {
	dayone.Run
	key sql.NullString
}

// scanHead reads a run's head, and after it whatever else was asked for.
func (d *DB) scanHead(s interface{ Scan(...any) error }, more ...any) (runRow, error) {
	var r runRow
	var started, ended int64
	var title string
	if err := s.Scan(append([]any{&r.ID, &r.Person, &r.Event, &r.State, &r.Ending, &started, &ended, &r.Hash, &r.Machine, &r.Of, &title, &r.key}, more...)...); err != nil {
		return r, err
	}
	r.Started, r.Ended = instant(started), instant(ended)
	there, err := d.unseal(r.key, title, &r.Title)
	if err != nil {
		return r, fmt.Errorf("run %s does not read: %w", r.ID, err)
	}
	if !there {
		r.Title = Erased
	}
	return r, nil
}

func (d *DB) scanRun(s interface{ Scan(...any) error }) (runRow, error) {
	var box string
	r, err := d.scanHead(s, &box)
	if err != nil {
		return r, err
	}
	return r, d.openRun(&r, box)
}

// openRun reads what a run says of its person.
func (d *DB) openRun(r *runRow, box string) error {
	var b runBox
	switch there, err := d.unseal(r.key, box, &b); {
	case err != nil:
		return fmt.Errorf("run %s does not read: %w", r.ID, err)
	case !there:
		b = runBox{}
	}
	r.Plan, r.Have = b.Plan, b.Have
	r.Steps = make([]dayone.StepRun, len(r.Plan.Steps))
	for i, st := range r.Plan.Steps {
		r.Steps[i] = dayone.StepRun{Step: st, State: dayone.StepPending}
	}
	return nil
}

// Run is one run with all its steps. Of somebody who was erased it has none.
func (d *DB) Run(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	r, err := d.scanRun(d.read.QueryRowContext(ctx, runHead+`, r.box`+runTables+` WHERE r.id = $1`, id))
	if err != nil {
		return r.Run, notFound("run "+string(id), err)
	}
	rows, err := d.read.QueryContext(ctx, stepQuery+` WHERE run = $1 ORDER BY seq`, id)
	if err != nil {
		return r.Run, err
	}
	steps, err := scanSteps(rows)
	if err == nil {
		err = d.lay(&r, steps[r.ID])
	}
	return r.Run, err
}

const stepQuery = `SELECT run, seq, state, attempt, tries, since, started, ended, waited, next, box FROM step`

// stepRow is a stored step that is being read: its columns, and its box.
type stepRow struct {
	seq, attempt, tries                   int
	state                                 dayone.StepState
	since, started, ended, waited, wakeup int64
	box                                   string
}

// scanSteps reads rows of steps, by run.
func scanSteps(rows *sql.Rows) (map[dayone.RunID][]stepRow, error) {
	defer rows.Close()
	out := map[dayone.RunID][]stepRow{}
	for rows.Next() {
		var run dayone.RunID
		var r stepRow
		if err := rows.Scan(&run, &r.seq, &r.state, &r.attempt, &r.tries, &r.since, &r.started, &r.ended, &r.waited, &r.wakeup, &r.box); err != nil {
			return nil, err
		}
		out[run] = append(out[run], r)
	}
	return out, rows.Err()
}

// lay lays stored steps over planned ones.
func (d *DB) lay(r *runRow, steps []stepRow) error {
	for _, row := range steps {
		var o stepBox
		there, err := d.unseal(r.key, row.box, &o)
		if err != nil {
			return fmt.Errorf("step %d of run %s does not read: %w", row.seq, r.ID, err)
		}
		if !there {
			continue
		}
		for len(r.Steps) <= row.seq {
			r.Steps = append(r.Steps, dayone.StepRun{State: dayone.StepPending})
		}
		s := &r.Steps[row.seq]
		if o.Def != nil {
			s.Step = *o.Def
		}
		s.State, s.Attempt, s.Tries = row.state, row.attempt, row.tries
		s.Since, s.Started, s.Ended, s.Waited, s.Next = instant(row.since), instant(row.started), instant(row.ended), instant(row.waited), instant(row.wakeup)
		s.Wait, s.Asked, s.Result, s.Error, s.Kind, s.Of, s.Failing, s.Agreed = o.Wait, o.Asked, o.Result, o.Error, o.Kind, o.Of, instant(o.Failing), o.Agreed
		s.Parked, s.Alarmed = instant(o.Parked), instant(o.Alarmed)
	}
	return nil
}

const active = `('running', 'waiting', 'undoing', 'held')`

// Unfinished are the runs that are not over, by id: id, person, state and machine of each.
func (d *DB) Unfinished(ctx context.Context) ([]dayone.Run, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, person, state, machine FROM run WHERE state IN `+active+` ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Run
	for rows.Next() {
		var r dayone.Run
		if err := rows.Scan(&r.ID, &r.Person, &r.State, &r.Machine); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// RunsOf are runs by their ids, with all their steps, in the order asked for. They are read in two questions and opened on
// all processors, which is most of a start after a crash.
func (d *DB) RunsOf(ctx context.Context, ids []dayone.RunID) ([]dayone.Run, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := among(ids)
	found, boxes, err := d.runRows(ctx, in, args)
	if err != nil {
		return nil, err
	}
	stored, err := d.read.QueryContext(ctx, stepQuery+` WHERE run IN `+in+` ORDER BY run, seq`, args...)
	if err != nil {
		return nil, err
	}
	steps, err := scanSteps(stored)
	if err != nil {
		return nil, err
	}
	out := make([]dayone.Run, len(ids))
	err = atOnce(len(ids), func(i int) error {
		r, there := found[ids[i]]
		if !there {
			return fmt.Errorf("run %s: %w", ids[i], dayone.ErrNotFound)
		}
		err := d.openRun(r, boxes[r.ID])
		if err == nil {
			err = d.lay(r, steps[r.ID])
		}
		out[i] = r.Run
		return err
	})
	return out, err
}

// among is a list of ids as SQL has it.
func among[T ~string](ids []T) (marks string, args []any) {
	var b strings.Builder
	for i, id := range ids {
		args = append(args, string(id))
		fmt.Fprintf(&b, ", $%d", i+1)
	}
	return "(" + b.String()[2:] + ")", args
}

// runRows are runs that are not opened yet, and their boxes.
func (d *DB) runRows(ctx context.Context, in string, args []any) (map[dayone.RunID]*runRow, map[dayone.RunID]string, error) {
	rows, err := d.read.QueryContext(ctx, runHead+`, r.box`+runTables+` WHERE r.id IN `+in, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	found, boxes := map[dayone.RunID]*runRow{}, map[dayone.RunID]string{}
	for rows.Next() {
		var box string
		r, err := d.scanHead(rows, &box)
		if err != nil {
			return nil, nil, err
		}
		found[r.ID], boxes[r.ID] = &r, box
	}
	return found, boxes, rows.Err()
}

// atOnce does n things on all processors, and says what went wrong first.
func atOnce(n int, do func(i int) error) error {
	var next atomic.Int64
	var wrong atomic.Pointer[error]
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && wrong.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					wrong.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	if err := wrong.Load(); err != nil {
		return *err
	}
	return nil
}

// ActiveRun is the run of a person that is under way. ErrNotFound: none.
func (d *DB) ActiveRun(ctx context.Context, person dayone.PersonID) (dayone.RunID, error) {
	var id dayone.RunID
	err := d.read.QueryRowContext(ctx, `SELECT id FROM run WHERE person = $1 AND state IN `+active, person).Scan(&id)
	return id, notFound("a run under way", err)
}

// Newest is the run of a person that began last. ErrNotFound: none ever did.
func (d *DB) Newest(ctx context.Context, person dayone.PersonID) (dayone.RunID, error) {
	var id dayone.RunID
	err := d.read.QueryRowContext(ctx, `SELECT id FROM run WHERE person = $1 ORDER BY id DESC LIMIT 1`, person).Scan(&id)
	return id, notFound("a run of "+string(person), err)
}

// RunFilter narrows a list of runs.
type RunFilter struct {
	Person dayone.PersonID
	States []dayone.RunState
	Of     dayone.RunID // only those that take this one back
	Before dayone.RunID // only older ones: the last id of the page before
	Limit  int
	Within dayone.Scope // only those of people of it
}

// Runs lists runs, newest first, without their steps.
func (d *DB) Runs(ctx context.Context, f RunFilter) ([]dayone.Run, error) {
	which, args, err := d.runsOf(ctx, &f)
	if err != nil {
		return nil, err
	}
	rows, err := d.read.QueryContext(ctx, runHead+runTables+which, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Run
	for rows.Next() {
		r, err := d.scanHead(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r.Run)
	}
	return out, rows.Err()
}

// CountRuns is how long the list of runs would be, its limit at the most. Nothing of them is opened for it.
func (d *DB) CountRuns(ctx context.Context, f RunFilter) (n int, err error) {
	which, args, err := d.runsOf(ctx, &f)
	if err != nil {
		return 0, err
	}
	from := ` FROM run r`
	if !f.Within.AllPeople() {
		from = runTables
	}
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT r.id`+from+which+`) AS listed`, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting runs: %w", err)
	}
	return n, nil
}

// runsOf is which runs a filter lists, in order: what stands behind the tables.
func (d *DB) runsOf(ctx context.Context, f *RunFilter) (string, []any, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	var where []string
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	if f.Person != "" {
		add(hers("r.person"), f.Person)
	}
	if f.Of != "" {
		add("r.takes_back <> '' AND r.takes_back = $%d", f.Of)
	}
	if f.Before != "" {
		add("r.id < $%d", f.Before)
	}
	if len(f.States) > 0 {
		where = append(where, d.inStates(*f, &args))
	}
	if !f.Within.AllPeople() {
		arg := func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}
		few, err := d.few(ctx, f.Within, "r.person", arg)
		if err != nil {
			return "", nil, err
		}
		where = append(where, few, within(f.Within, "p", "", arg))
	}
	q := ""
	if len(where) > 0 {
		q = " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, f.Limit)
	return q + fmt.Sprintf(" ORDER BY r.id DESC LIMIT $%d", len(args)), args, nil
}

// UndosOf are the runs that take back some others, or whatever else those had whom they are about, newest first, without their steps. An index
// holds who has which runs, and another one which runs are undos: none is opened but those.
func (d *DB) UndosOf(ctx context.Context, ids []dayone.RunID) ([]dayone.Run, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := among(ids)
	rows, err := d.read.QueryContext(ctx, runHead+runTables+` WHERE r.takes_back <> '' AND r.takes_back <> r.id AND r.takes_back IN
		(SELECT o.id FROM run o WHERE o.person IN (SELECT person FROM run WHERE id IN `+in+`)) ORDER BY r.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading what was taken back: %w", err)
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (dayone.Run, error) {
		r, err := d.scanHead(s)
		return r.Run, err
	})
}

// inStates is the condition that a run is in one of the states. Where nothing else narrows the list, the newest of each state
// are taken from its index: a database that is asked for several states at once sorts all runs there are.
func (d *DB) inStates(f RunFilter, args *[]any) string {
	arg := func(v any) string {
		*args = append(*args, v)
		return fmt.Sprintf("$%d", len(*args))
	}
	alone := f.Person == "" && f.Of == "" && f.Within.AllPeople()
	var each []string
	for _, s := range f.States {
		if !alone {
			each = append(each, arg(s))
			continue
		}
		one := `SELECT id FROM run WHERE state = ` + arg(s)
		if f.Before != "" {
			one += ` AND id < ` + arg(f.Before)
		}
		each = append(each, `SELECT id FROM (`+one+` ORDER BY id DESC LIMIT `+arg(f.Limit)+fmt.Sprintf(`) AS s%d`, len(each)))
	}
	if !alone {
		return "r.state IN (" + strings.Join(each, ", ") + ")"
	}
	return "r.id IN (" + strings.Join(each, " UNION ALL ") + ")"
}

// OverBefore are the newest runs that were over when one began: their ids alone, which opens nothing. Without an id and a
// start they are the newest that are over.
func (d *DB) OverBefore(ctx context.Context, one dayone.Run, limit int) ([]dayone.RunID, error) {
	var args []any
	over := d.inStates(RunFilter{Before: one.ID, States: []dayone.RunState{dayone.RunDone, dayone.RunIncomplete}, Limit: limit}, &args)
	args = append(args, limit)
	rows, err := d.read.QueryContext(ctx, `SELECT r.id, r.ended FROM run r WHERE `+over+fmt.Sprintf(` ORDER BY r.id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading which runs are over: %w", err)
	}
	defer rows.Close()
	var out []dayone.RunID
	for rows.Next() {
		var id dayone.RunID
		var ended int64
		if err := rows.Scan(&id, &ended); err != nil {
			return nil, err
		}
		if at := instant(ended); !at.IsZero() && (one.Started.IsZero() || !at.After(one.Started)) {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

// Holdings of a person, those that are gone included if asked.
func (d *DB) Holdings(ctx context.Context, person dayone.PersonID, gone bool) ([]dayone.Holding, error) {
	key, err := d.keyOf(ctx, person)
	if err != nil {
		return nil, err
	}
	q := `SELECT key, ref, state, box FROM holding WHERE person = $1`
	if !gone {
		q += ` AND state <> 'gone'`
	}
	rows, err := d.read.QueryContext(ctx, q+` ORDER BY key`, person)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Holding
	for rows.Next() {
		h, err := d.scanHolding(rows, key)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	slices.SortFunc(out, byKey)
	return out, rows.Err()
}

func byKey(a, b dayone.Holding) int {
	switch {
	case a.Key.Less(b.Key):
		return -1
	case b.Key.Less(a.Key):
		return 1
	}
	return 0
}

func (d *DB) scanHolding(s interface{ Scan(...any) error }, owner sql.NullString) (dayone.Holding, error) {
	var h dayone.Holding
	var key, box string
	if err := s.Scan(&key, &h.Ref, &h.State, &box); err != nil {
		return h, err
	}
	return d.openHolding(h, key, box, owner)
}

// openHolding reads what is in the box of one, and its key.
func (d *DB) openHolding(h dayone.Holding, key, box string, owner sql.NullString) (dayone.Holding, error) {
	k, err := dayone.ParseKey(key)
	if err != nil {
		return h, err
	}
	var b holdingBox
	if _, err := d.unseal(owner, box, &b); err != nil {
		return h, fmt.Errorf("holding %s does not read: %w", key, err)
	}
	h.Key, h.Role, h.Attrs, h.Created, h.Asked, h.Ours, h.Generation = k, b.Role, b.Attrs, instant(b.Created), b.Asked, b.Ours, b.Generation
	h.Since, h.Confirmed, h.Because, h.Run, h.Release, h.Lost = instant(b.Since), instant(b.Confirmed), b.Because, b.Run, b.Release, instant(b.Lost)
	return h, nil
}

// KeepHoldings writes holdings as they are to be in the books, where nothing of them changed at their systems.
func (d *DB) KeepHoldings(ctx context.Context, person dayone.PersonID, holdings []dayone.Holding, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		b := bulk{t: t, d: d, holdAt: map[string]int{}}
		for _, h := range holdings {
			b.holding(person, h)
		}
		if err := b.flush(); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

// Owner is who an account is bound to, or else was.
func (d *DB) Owner(ctx context.Context, system, ref string) (dayone.PersonID, bool, error) {
	var p dayone.PersonID
	err := d.read.QueryRowContext(ctx, `SELECT person FROM holding WHERE kind = 'account' AND system = $1 AND ref = $2
		ORDER BY CASE state WHEN 'gone' THEN 1 ELSE 0 END LIMIT 1`, system, ref).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return p, err == nil, err
}

// BoundAccounts says whose the accounts of a system are, by the system's own ids.
func (d *DB) BoundAccounts(ctx context.Context, system string) (map[string]dayone.PersonID, error) {
	out := map[string]dayone.PersonID{}
	return out, d.each(ctx, `SELECT ref, person FROM holding WHERE kind = 'account' AND system = $1 AND state <> 'gone' AND ref <> ''`, []any{system}, func(rows *sql.Rows) error {
		var ref string
		var person dayone.PersonID
		err := rows.Scan(&ref, &person)
		out[ref] = person
		return err
	})
}

// Secret is the box of a secret.
func (d *DB) Secret(ctx context.Context, id dayone.SecretID) (string, bool, error) {
	var box string
	err := d.read.QueryRowContext(ctx, `SELECT box FROM secret WHERE id = $1`, id).Scan(&box)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return box, err == nil, err
}
