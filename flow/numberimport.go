package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/store"
)

// NumberImport is what a file of numbers does, or did.
type NumberImport struct {
	Rows     int // lines that say something
	Numbers  int // that they are about
	New      int
	Changed  int
	Assigned int // of the new and the changed, to people
	Faults   []NumberFault
}

// ImportNumbers takes a CSV file of numbers, of ranges of them, and of who has which. dry: it only says what it would do. One
// fault and nothing is imported: ErrInvalid, and the faults are all told.
func (f *Flow) ImportNumbers(ctx context.Context, name, text, by string, dry bool) (NumberImport, error) {
	plan, seq, err := f.numberBook(f.Store.ReadNumbers(ctx))
	if err != nil {
		return NumberImport{}, err
	}
	rows, faults := number.ReadFile(name, text, plan)
	im := importing{f: f, name: name, plan: plan, rows: rows, by: by, at: f.Clock.Now()}
	im.out.Faults, im.out.Rows = faults, len(rows)
	if err := im.people(ctx); err != nil {
		return im.out, err
	}
	if dry || len(im.out.Faults) > 0 {
		if err := im.decide(f.Store.ReadNumbers(ctx)); err != nil {
			return im.out, err
		}
		return im.out, im.refused(dry)
	}
	err = f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		now, err := n.PlanSeq()
		if err == nil && now != seq {
			err = fmt.Errorf("the plan of numbers changed meanwhile; import again: %w", dayone.ErrConflict)
		}
		if err == nil {
			err = im.decide(n)
		}
		if err == nil {
			err = im.refused(false)
		}
		if err != nil {
			return err
		}
		return im.write(n)
	})
	return im.out, err
}

// importing is a file on its way into the books.
type importing struct {
	f      *Flow
	name   string
	plan   *number.Plan
	rows   []number.Row
	by     string
	at     time.Time
	who    map[string]dayone.PersonID
	out    NumberImport
	put    []dayone.Number
	fresh  []dayone.Number
	events []dayone.NumberEvent
}

func (im *importing) refused(dry bool) error {
	if len(im.out.Faults) == 0 || dry {
		return nil
	}
	return fmt.Errorf("nothing is imported, since %s wrong; the first: %s: %w", counted(len(im.out.Faults), "1 line is", "%d lines are"), im.out.Faults[0], dayone.ErrInvalid)
}

const mostImportFaults = 200

func (im *importing) fault(r number.Row, col int, format string, args ...any) {
	if len(im.out.Faults) < mostImportFaults {
		im.out.Faults = append(im.out.Faults, NumberFault{File: im.name, Line: r.Line, Col: col, Text: fmt.Sprintf(format, args...)})
	}
}

// people finds who is named: by mail address or id, by what a source calls their employment, or by name. A file in which
// nobody is found is not looked through to its end: names are looked for among everybody.
func (im *importing) people(ctx context.Context) error {
	im.who = map[string]dayone.PersonID{}
	sources := append(slices.Sorted(maps.Keys(im.f.Sources)), dayone.Portal)
	for _, r := range im.rows {
		if _, done := im.who[r.Who]; done || r.Who == "" {
			continue
		}
		if len(im.out.Faults) >= mostImportFaults {
			return nil
		}
		id, err := im.person(ctx, sources, r.Who)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
			im.fault(r, r.WhoCol, "nobody has this mail address, id or employee number")
		case errors.Is(err, dayone.ErrConflict):
			im.fault(r, r.WhoCol, "several people are meant; write a mail address")
		case err != nil:
			return err
		}
		im.who[r.Who] = id
	}
	return nil
}

func (im *importing) person(ctx context.Context, sources []string, who string) (dayone.PersonID, error) {
	if !strings.Contains(who, "@") && !dayone.ValidID("per", who) {
		for _, s := range sources {
			id, ok, err := im.f.Store.PersonOf(ctx, s, who)
			if err != nil {
				return "", err
			}
			if ok {
				row, err := im.f.Person(ctx, id) // whoever asks may not know of her
				return row.ID, err
			}
		}
	}
	row, err := im.f.Named(ctx, who)
	return row.ID, err
}

// decide says what becomes of every number of the file. It may run twice.
func (im *importing) decide(n *store.Numbers) error {
	im.put, im.fresh, im.events = nil, nil, nil
	im.out.Numbers, im.out.New, im.out.Changed, im.out.Assigned = 0, 0, 0, 0
	var batch []dayone.Number
	var of []number.Row
	for i, r := range im.rows {
		for _, x := range r.Numbers(im.plan, im.at) {
			batch, of = append(batch, x), append(of, r)
		}
		if len(batch) < 2000 && i < len(im.rows)-1 {
			continue
		}
		known, err := n.Known(idsOf(batch))
		if err != nil {
			return err
		}
		for j, x := range batch {
			im.one(x, of[j], known)
		}
		batch, of = batch[:0], of[:0]
	}
	return nil
}

func (im *importing) one(x dayone.Number, r number.Row, known map[dayone.NumberID]dayone.Number) {
	im.out.Numbers++
	owner := im.who[r.Who]
	if r.Who != "" && owner == "" {
		return // told of already
	}
	var was *dayone.Number
	if is, ok := known[x.ID]; ok {
		was = &is
	}
	pool, _ := im.plan.Pool(x.Pool)
	is, changed, err := number.Import(was, x, r, owner, im.at, pool)
	switch {
	case err != nil:
		im.fault(r, 1, "%s", Problem(err))
		return
	case !changed:
		return
	}
	im.put = append(im.put, is)
	if is.State == dayone.NumberAssigned {
		im.out.Assigned++
	}
	if was == nil {
		im.out.New++
		im.fresh = append(im.fresh, is)
		return
	}
	im.out.Changed++
	im.events = append(im.events, dayone.NumberEvent{Number: is.ID, At: im.at, What: "imported", From: was.State, To: is.State, Person: is.Owner, By: im.by, Note: r.Reason})
}

// write puts all of it into the books, with a record for each person who has a number by it.
func (im *importing) write(n *store.Numbers) error {
	if err := n.Put(im.put...); err != nil {
		return err
	}
	if err := n.Begin(im.fresh, "imported", im.by, im.at); err != nil {
		return err
	}
	records := []dayone.Record{{At: im.at, What: "numbers imported", By: im.by, Detail: &dayone.Detail{Note: fmt.Sprintf("%s: %d numbers, %d new, %d changed, %d assigned", im.name, im.out.Numbers, im.out.New, im.out.Changed, im.out.Assigned)}}}
	for _, x := range im.put {
		if x.Owner != "" {
			records = append(records, dayone.Record{At: im.at, Person: x.Owner, System: x.Platform, What: "number imported as " + string(x.State), By: im.by, Detail: &dayone.Detail{Note: string(x.ID)}})
		}
	}
	return n.Tell(im.events, records...)
}
