package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// TaskFilter narrows a list of open tasks. They come by the time they are due, those without one first.
type TaskFilter struct {
	Person   dayone.PersonID
	Run      dayone.RunID
	System   string
	Given    []string     // only those that were given to one of them: a mail address, or group:NAME; empty: to whomever
	Within   dayone.Scope // of its people, at its systems
	AfterDue time.Time    // of the last one of the page before
	AfterID  dayone.TaskID
	Limit    int // 0: all of them
}

// Tasks lists all open tasks, the next due first; of one person or run, if named.
func (d *DB) Tasks(ctx context.Context, person dayone.PersonID, run dayone.RunID) ([]dayone.Task, error) {
	return d.TasksBy(ctx, TaskFilter{Person: person, Run: run})
}

// TasksBy lists open tasks.
func (d *DB) TasksBy(ctx context.Context, f TaskFilter) ([]dayone.Task, error) {
	where, args := d.whereTasks(f)
	q := taskQuery + ` WHERE ` + readable + ` AND ` + where
	if f.AfterID != "" {
		args = append(args, micros(f.AfterDue), f.AfterID)
		q += fmt.Sprintf(` AND (t.due, t.id) > ($%d, $%d)`, len(args)-1, len(args))
	}
	q += ` ORDER BY t.due, t.id`
	if f.Limit > 0 {
		args = append(args, f.Limit)
		q += fmt.Sprintf(` LIMIT $%d`, len(args))
	}
	return d.someTasks(ctx, q, args...)
}

// CountTasks is how many open tasks there are of a filter, on all its pages. Whose they are is only looked up where the scope
// asks: every page of the portal counts them, and a task of somebody who was erased is not open.
func (d *DB) CountTasks(ctx context.Context, f TaskFilter) (int, error) {
	where, args := d.whereTasks(f)
	of := `task t`
	if !f.Within.Whole() {
		of += ` LEFT JOIN person p ON p.id = t.person`
	}
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+of+` WHERE `+where, args...).Scan(&n)
	return n, err
}

func (d *DB) whereTasks(f TaskFilter) (q string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	q = `t.closed = 0`
	if !f.Within.Whole() {
		q += ` AND ` + within(f.Within, "p", "t.system", arg)
	}
	if len(f.Given) > 0 {
		q += ` AND t.assigned IN (` + marks(f.Given, d.asked, arg) + `)`
	}
	if f.Person != "" {
		q += ` AND t.person = ` + arg(f.Person)
	}
	if f.Run != "" {
		q += ` AND t.run = ` + arg(f.Run)
	}
	if f.System != "" {
		q += ` AND t.system = ` + arg(f.System)
	}
	return q, args
}

// TasksAt lists every open task of a system, the oldest first.
func (d *DB) TasksAt(ctx context.Context, system string) ([]dayone.Task, error) {
	return d.someTasks(ctx, taskQuery+` WHERE t.closed = 0 AND t.system = $1 AND `+readable+` ORDER BY t.id`, system)
}

// AllTasks lists every task of a person, closed ones as well, the newest first.
func (d *DB) AllTasks(ctx context.Context, person dayone.PersonID) ([]dayone.Task, error) {
	return d.someTasks(ctx, taskQuery+` WHERE `+fmt.Sprintf(hers("t.person"), 1)+` AND `+readable+` ORDER BY t.id DESC`, person)
}

func (d *DB) someTasks(ctx context.Context, q string, args ...any) ([]dayone.Task, error) {
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, d.scanTask)
}

// Task is one task, open or closed, by id or by its step's Once.
func (d *DB) Task(ctx context.Context, id string) (dayone.Task, error) {
	t, err := d.scanTask(d.read.QueryRowContext(ctx, taskQuery+` WHERE t.id = $1 OR t.once = $1 ORDER BY t.id DESC LIMIT 1`, id))
	return t, notFound("task", err)
}

const taskQuery = `SELECT t.id, t.person, t.run, t.step, t.once, t.system, t.opened, t.due, t.closed, t.remind, t.reminded, t.box, t.done_box, p.key_box
	FROM task t LEFT JOIN person p ON p.id = t.person`

// taskBox is what is to be done, doneBox who did it and with what.
type (
	taskBox struct {
		Title string   `json:"title"`
		Note  string   `json:"note,omitempty"`
		Ask   []string `json:"ask,omitempty"`
		Who   string   `json:"who,omitempty"`
		Proof bool     `json:"proof,omitempty"`
	}
	doneBox struct {
		By    string       `json:"by,omitempty"`
		Attrs dayone.Attrs `json:"attrs,omitempty"`
		Proof string       `json:"proof,omitempty"`
		Left  string       `json:"left,omitempty"`
	}
)

func (d *DB) scanTask(s interface{ Scan(...any) error }) (dayone.Task, error) {
	var t dayone.Task
	var opened, due, closed, remind, reminded int64
	var key sql.NullString
	var todo, done string
	if err := s.Scan(&t.ID, &t.Person, &t.Run, &t.Step, &t.Once, &t.System, &opened, &due, &closed, &remind, &reminded, &todo, &done, &key); err != nil {
		return t, err
	}
	t.Opened, t.Due, t.Closed, t.Remind, t.Reminded = instant(opened), instant(due), instant(closed), instant(remind), instant(reminded)
	a, b := taskBox{Title: Erased}, doneBox{}
	_, err := d.unseal(key, todo, &a)
	if err == nil {
		_, err = d.unseal(key, done, &b)
	}
	if err != nil {
		return t, fmt.Errorf("task %s does not read: %w", t.ID, err)
	}
	t.Title, t.Note, t.Ask, t.By, t.Attrs = a.Title, a.Note, a.Ask, b.By, b.Attrs
	t.Assignee, t.Proof, t.Evidence, t.Left = a.Who, a.Proof, b.Proof, b.Left
	return t, nil
}

// OpenTask keeps a task that no step opened.
func (d *DB) OpenTask(ctx context.Context, t dayone.Task, records ...dayone.Record) error {
	return d.write(ctx, func(x *tx) error {
		if err := d.putTask(x, &t); err != nil {
			return err
		}
		return d.append(x, records)
	})
}

func (d *DB) putTask(x *tx, t *dayone.Task) error {
	todo, err := d.seal(x, t.Person, taskBox{t.Title, t.Note, t.Ask, t.Assignee, t.Proof})
	if err != nil {
		return err
	}
	done := ""
	if !t.Closed.IsZero() {
		if done, err = d.seal(x, t.Person, doneBox{t.By, t.Attrs, t.Evidence, t.Left}); err != nil {
			return err
		}
	}
	_, err = x.exec(`INSERT INTO task (id, person, run, step, once, system, opened, due, closed, remind, reminded, box, done_box, assigned)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET due = excluded.due, closed = excluded.closed, remind = excluded.remind, reminded = excluded.reminded, box = excluded.box, done_box = excluded.done_box, assigned = excluded.assigned`,
		t.ID, t.Person, t.Run, t.Step, t.Once, t.System, micros(t.Opened), micros(t.Due), micros(t.Closed), micros(t.Remind), micros(t.Reminded), todo, done, d.askedIn(todo, t.Assignee))
	if err != nil {
		return fmt.Errorf("writing task: %w", err)
	}
	return nil
}

// ChangeTask changes an open task as it stands in the books. change may be called twice. ErrConflict: it is closed.
func (d *DB) ChangeTask(ctx context.Context, id dayone.TaskID, change func(*dayone.Task) error, records ...dayone.Record) (dayone.Task, error) {
	var out dayone.Task
	err := d.write(ctx, func(x *tx) error {
		q := taskQuery + ` WHERE t.id = $1`
		if !d.lite() {
			q += ` FOR UPDATE OF t`
		}
		t, err := d.scanTask(x.row(q, id))
		switch {
		case err != nil:
			return notFound("task", err)
		case !t.Closed.IsZero():
			return fmt.Errorf("task %s is closed: %w", id, dayone.ErrConflict)
		}
		if err := change(&t); err != nil {
			return err
		}
		out = t
		if err := d.putTask(x, &t); err != nil {
			return err
		}
		return d.append(x, records)
	})
	return out, err
}

// TasksToRemind are open tasks whose time has come, and those that nobody has looked at yet.
func (d *DB) TasksToRemind(ctx context.Context, now time.Time, limit int) ([]dayone.Task, error) {
	return d.someTasks(ctx, taskQuery+` WHERE t.closed = 0 AND t.remind <= $1 AND p.key_box <> '' ORDER BY t.remind, t.id LIMIT $2`, micros(now), limit)
}

// NextReminder is when the next of them is due: one that nobody has looked at yet, since it was opened. Zero: none is.
func (d *DB) NextReminder(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(CASE WHEN t.remind > 0 THEN t.remind ELSE t.opened END) FROM task t JOIN person p ON p.id = t.person WHERE t.closed = 0 AND p.key_box <> ''`).Scan(&us)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return instant(us.Int64), err
}

// assigned keeps who has a task that an earlier run of its grant opened, and opens it again if that run only left it.
func (d *DB) assigned(x *tx, t *dayone.Task) error {
	var id, box, end string
	var closed int64
	err := x.row(`SELECT id, closed, box, done_box FROM task WHERE person = $1 AND once = $2
		ORDER BY CASE WHEN closed = 0 THEN 0 ELSE 1 END, id DESC LIMIT 1`, t.Person, t.Once).Scan(&id, &closed, &box, &end)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading task: %w", err)
	}
	sealed, err := d.key(x, t.Person)
	if err != nil {
		return err
	}
	key := sql.NullString{String: sealed, Valid: true}
	var was taskBox
	var done doneBox
	if _, err := d.unseal(key, box, &was); err != nil {
		return fmt.Errorf("reading task: %w", err)
	}
	if closed != 0 {
		if _, err := d.unseal(key, end, &done); err != nil {
			return fmt.Errorf("reading task: %w", err)
		}
		if !dayone.TaskMoves(done.Left) {
			return nil
		}
		if _, err := x.exec(`UPDATE task SET closed = 0, done_box = '' WHERE id = $1`, id); err != nil {
			return fmt.Errorf("opening task again: %w", err)
		}
	}
	t.Assignee = cmp.Or(t.Assignee, was.Who)
	return nil
}

// SettleTasks opens tasks that no step opens, and closes those that are closed.
func (d *DB) SettleTasks(ctx context.Context, tasks []dayone.Task) error {
	return d.write(ctx, func(t *tx) error { return d.settleTasks(t, tasks) })
}

func (d *DB) settleTasks(t *tx, tasks []dayone.Task) error {
	for _, task := range tasks {
		var err error
		if task.Closed.IsZero() {
			err = d.openTask(t, task, noStep)
		} else {
			err = d.closeTask(t, task.Person, task)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noStep is in the place of the step of a task that none opened.
const noStep = -1

func (d *DB) closeTask(t *tx, person dayone.PersonID, task dayone.Task) error {
	box, err := d.seal(t, person, doneBox{task.By, task.Attrs, task.Evidence, task.Left})
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE task SET closed = $2, done_box = $3 WHERE once = $1 AND closed = 0`, task.Once, micros(task.Closed), box); err != nil {
		return fmt.Errorf("closing task: %w", err)
	}
	return nil
}

// openTask opens a task. One that is open already, or that an earlier run left, goes on as the same, with whoever has it:
// it belongs to the grant, and this is another run of it. seq is the step of the run that opens it, or noStep.
func (d *DB) openTask(t *tx, task dayone.Task, seq int) error {
	if err := d.assigned(t, &task); err != nil {
		return err
	}
	box, err := d.seal(t, task.Person, taskBox{task.Title, task.Note, task.Ask, task.Assignee, task.Proof})
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO task (id, person, run, step, seq, once, system, opened, due, closed, box, done_box, assigned)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '', $11)
		ON CONFLICT (once) WHERE closed = 0 DO UPDATE SET run = excluded.run, step = excluded.step, seq = excluded.seq, box = excluded.box, assigned = excluded.assigned`,
		d.ids.New("tsk"), task.Person, task.Run, task.Step, seq, task.Once, task.System, micros(task.Opened), micros(task.Due), box, d.askedIn(box, task.Assignee)); err != nil {
		return fmt.Errorf("opening task: %w", err)
	}
	return nil
}
