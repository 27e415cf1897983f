package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// On the first day of a year everybody may be due at once. Most of them turn out to be as they were, so those who are due
// are read many at a time, with one statement for each kind of thing, and their rows are written in one commit.

// Due is somebody who is due, as the books have her, read with others; Err says why she could not be.
type Due struct {
	dayone.Timeline
	Row       Row              // as lists show her; its Wake is since when she is due
	Have      []dayone.Holding // what is gone, too
	Holds     []dayone.Hold
	Requests  []dayone.Request // that stand
	Approvals []dayone.Petition
	Reviewed  map[dayone.Key]time.Time
	Tasks     []string   // the Once of those that are open
	Last      dayone.Run // the run that began last, its id, state and what it takes back alone; none ever did: zero
	Active    bool       // a run of hers is under way
	Err       error
}

// DueTogether reads several people, AtOnce at most, in their order. Nobody who does not read hides another. Since when they
// are due is read before all else, so that what makes them due meanwhile is seen by it; then whether a run is under way: if
// none is, what they have moves only under the lock of whoever looks.
func (d *DB) DueTogether(ctx context.Context, ids []dayone.PersonID) ([]Due, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	r := reading{d: d, ctx: ctx, args: many(ids), out: make([]Due, len(ids)), at: make(map[dayone.PersonID]*Due, len(ids))}
	for i, id := range ids {
		r.at[id] = &r.out[i]
	}
	for _, part := range []struct {
		what string
		read func() error
	}{{"rows", r.rows}, {"runs", r.runs}, {"timelines", r.timelines}, {"holdings", r.holdings}, {"holds", r.holds}, {"requests", r.requests}, {"approvals", r.approvals}, {"reviews", r.reviews}, {"tasks", r.tasks}} {
		if err := part.read(); err != nil {
			return nil, fmt.Errorf("reading %s of people: %w", part.what, err)
		}
	}
	return r.out, nil
}

// reading is several people who are being read.
type reading struct {
	d    *DB
	ctx  context.Context
	args []any
	out  []Due
	at   map[dayone.PersonID]*Due
	keys map[dayone.PersonID]sql.NullString
}

// each goes through the rows of a question about them.
func (r *reading) each(query string, row func(*sql.Rows) error) error {
	marks := manyIn
	if r.d.lite() { // it looks up numbered parameters by name, one after the other
		marks = "(?" + strings.Repeat(",?", AtOnce-1) + ")"
	}
	return r.d.each(r.ctx, strings.Replace(query, "IN ?", "IN "+marks, 1), r.args, row)
}

// fail keeps what is wrong with somebody: the first thing.
func (r *reading) fail(p *Due, err error) {
	if p != nil && p.Err == nil {
		p.Err = err
	}
}

func (r *reading) timelines() error {
	ids := make([]dayone.PersonID, len(r.out))
	for i, a := range r.args[:len(ids)] {
		ids[i] = dayone.PersonID(a.(string))
	}
	lines, err := r.d.Timelines(r.ctx, ids)
	if err != nil {
		return err
	}
	for i := range lines {
		p := &r.out[i]
		told := p.Told
		p.Timeline = lines[i].Timeline
		p.Told = told
		if lines[i].Err != nil {
			r.fail(p, lines[i].Err)
		}
	}
	return nil
}

func (r *reading) runs() error {
	err := r.each(`SELECT person FROM run WHERE person IN ? AND state IN `+active, func(rows *sql.Rows) error {
		var id dayone.PersonID
		err := rows.Scan(&id)
		if p := r.at[id]; p != nil {
			p.Active = true
		}
		return err
	})
	if err != nil {
		return err
	}
	return r.each(`SELECT person, id, state, takes_back FROM run WHERE id IN (SELECT MAX(id) FROM run WHERE person IN ? GROUP BY person)`, func(rows *sql.Rows) error {
		var id dayone.PersonID
		var h dayone.Run
		err := rows.Scan(&id, &h.ID, &h.State, &h.Of)
		if p := r.at[id]; p != nil {
			p.Last = h
		}
		return err
	})
}

func (r *reading) rows() error {
	r.keys = make(map[dayone.PersonID]sql.NullString, len(r.out))
	return r.each(`SELECT `+rowColumns+`, key_box, told FROM person WHERE id IN ?`, func(rows *sql.Rows) error {
		var key sql.NullString
		var told string
		row, err := scanRow(moreOf{rows, []any{&key, &told}})
		if err != nil {
			return err
		}
		r.keys[row.ID] = key
		p := r.at[row.ID]
		p.Row = row
		if _, err := r.d.unseal(key, told, &p.Told); err != nil {
			r.fail(p, fmt.Errorf("what was told of %s does not read: %w", row.ID, err))
		}
		return nil
	})
}

// moreOf scans more than somebody asks for who shares what is in front.
type moreOf struct {
	*sql.Rows
	more []any
}

func (m moreOf) Scan(to ...any) error { return m.Rows.Scan(append(to, m.more...)...) }

func (r *reading) holdings() error {
	words := words{}
	var person, state sql.RawBytes
	var id dayone.PersonID
	var ref, key, box string
	var p *Due
	to := []any{&person, &key, &ref, &state, &box}
	err := r.each(`SELECT person, key, ref, state, box FROM holding WHERE person IN ? ORDER BY person, key`, func(rows *sql.Rows) error {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if p == nil || string(person) != string(id) {
			id = dayone.PersonID(person)
			p = r.at[id]
		}
		h := dayone.Holding{Item: dayone.Item{Ref: ref, State: dayone.State(words.of(state))}}
		h, err := r.d.openHolding(h, key, box, r.keys[id])
		if err != nil {
			r.fail(p, err)
			return nil
		}
		p.Have = append(p.Have, h)
		return nil
	})
	for i := range r.out {
		slices.SortFunc(r.out[i].Have, byKey)
	}
	return err
}

func (r *reading) holds() error {
	return r.each(holdQuery+` WHERE h.person IN ? AND h.ended = 0 ORDER BY h.id DESC`, func(rows *sql.Rows) error {
		h, there, err := r.d.scanHold(rows)
		if p := r.at[h.Person]; p != nil && err != nil {
			r.fail(p, err)
			return nil
		} else if p != nil && there {
			p.Holds = append(p.Holds, h)
		}
		return err
	})
}

func (r *reading) requests() error {
	return r.each(`SELECT `+requestColumns+` FROM request r LEFT JOIN person p ON p.id = r.person WHERE r.person IN ? AND r.ended = 0 ORDER BY r.id DESC`, func(rows *sql.Rows) error {
		q, err := r.d.scanRequest(rows)
		if p := r.at[q.Person]; p != nil && err != nil {
			r.fail(p, err)
			return nil
		} else if p != nil {
			p.Requests = append(p.Requests, q)
		}
		return err
	})
}

func (r *reading) approvals() error {
	return r.each(approvalQuery+` WHERE a.person IN ? AND a.ended = 0 ORDER BY a.id DESC`, func(rows *sql.Rows) error {
		a, err := r.d.scanApproval(rows)
		if p := r.at[a.Person]; p != nil && err != nil {
			r.fail(p, err)
			return nil
		} else if p != nil {
			p.Approvals = append(p.Approvals, a)
		}
		return err
	})
}

func (r *reading) reviews() error {
	return r.each(`SELECT person, key, at FROM review WHERE person IN ?`, func(rows *sql.Rows) error {
		var id dayone.PersonID
		var text string
		var at int64
		if err := rows.Scan(&id, &text, &at); err != nil {
			return err
		}
		p := r.at[id]
		k, err := dayone.ParseKey(text)
		if err != nil {
			r.fail(p, err)
			return nil
		}
		if p.Reviewed == nil {
			p.Reviewed = map[dayone.Key]time.Time{}
		}
		p.Reviewed[k] = instant(at)
		return nil
	})
}

func (r *reading) tasks() error {
	return r.each(`SELECT person, once FROM task WHERE person IN ? AND closed = 0`, func(rows *sql.Rows) error {
		var id dayone.PersonID
		var once string
		err := rows.Scan(&id, &once)
		if p := r.at[id]; p != nil {
			p.Tasks = append(p.Tasks, once)
		}
		return err
	})
}

// DueRow is the row of somebody after a look at which nothing was to be done. Since is what Wake was when she was read: has
// somebody made her due since then, or answered about her, the row is not written, and she is due as before.
type DueRow struct {
	Row
	Since time.Time
	Same  bool // but for Wake it is as it was read
}

// SameAs says whether writing a row would change one as it was read, but for Wake. One that brings what is told does.
func (r Row) SameAs(read Row) bool {
	read.Wake = r.Wake
	r.Email, r.Manager, r.Buddy = strings.ToLower(r.Email), strings.ToLower(r.Manager), strings.ToLower(r.Buddy)
	r.Country, r.Company = strings.ToLower(r.Country), strings.ToLower(r.Company)
	starts, ends := micros(r.Starts) == micros(read.Starts), micros(r.Ends) == micros(read.Ends)
	r.Starts, r.Ends = read.Starts, read.Ends
	return r == read && starts && ends
}

// AnyStage is for whoever has the same policies for ever.
const AnyStage = -1

// SaveDue writes rows in one commit. ErrConflict: other policies count than those of a stage, and nothing was written.
func (d *DB) SaveDue(ctx context.Context, stage int64, rows []DueRow) error {
	if len(rows) == 0 {
		return nil
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.stageIs(stage); err != nil {
			return err
		}
		var same []any
		for _, r := range rows {
			if r.Same {
				same = append(same, string(r.ID), micros(r.Wake), micros(r.Since))
				continue
			}
			var id string
			switch err := t.row(`SELECT id FROM person WHERE id = $1 AND wake = $2 AND `+nobodySaid, r.ID, micros(r.Since)).Scan(&id); {
			case errors.Is(err, sql.ErrNoRows):
				continue
			case err != nil:
				return err
			}
			if err := d.saveRow(t, r.Row); err != nil {
				return err
			}
		}
		return t.wakes(same)
	})
}

// stageIs says that the policies of a stage still count.
func (t *tx) stageIs(stage int64) error {
	var last int64
	if err := t.row(`SELECT COALESCE(MAX(seq), 0) FROM policy_stage`).Scan(&last); err != nil {
		return err
	}
	if last != stage && stage != AnyStage {
		return fmt.Errorf("other policies count since people were looked at: %w", dayone.ErrConflict)
	}
	return nil
}

// nobodySaid says that nobody answered about a person what was not seen to.
const nobodySaid = `NOT EXISTS (SELECT 1 FROM approval a WHERE a.person = person.id AND a.ended = 0 AND a.state <> a.noted)`

// wakes writes when people are looked at next: rows hold a person, that, and what it was.
func (t *tx) wakes(rows []any) error {
	const width = 3
	for _, n := range chunks {
		for len(rows) >= n*width {
			if _, err := t.exec(t.wakesText(n), rows[:n*width]...); err != nil {
				return fmt.Errorf("writing people: %w", err)
			}
			rows = rows[n*width:]
		}
	}
	return nil
}

// wakesText is the statement for n people, made once.
func (t *tx) wakesText(n int) string {
	k := bulkKey{"wakes of person", n}
	if s, ok := t.bulk[k]; ok {
		return s
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if t.plain {
			b.WriteString("(?, CAST(? AS BIGINT), CAST(? AS BIGINT))")
		} else {
			fmt.Fprintf(&b, "($%d, CAST($%d AS BIGINT), CAST($%d AS BIGINT))", 3*i+1, 3*i+2, 3*i+3)
		}
	}
	s := `UPDATE person SET wake = v.column2 FROM (VALUES ` + b.String() + `) AS v WHERE person.id = v.column1 AND person.wake = v.column3 AND ` + nobodySaid
	t.bulk[k] = s
	return s
}
