package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Export is everything that is kept of a person, opened, as she may ask for it. Credentials are not hers to read here: they
// are handed over once, by their own link.
type Export struct {
	Made         time.Time            `json:"made"`
	Person       dayone.PersonID      `json:"person"`
	Row          Row                  `json:"row"`
	Now          dayone.Person        `json:"now"`
	Timeline     dayone.Timeline      `json:"timeline"`
	Said         []ExportedEvent      `json:"said"`
	Holdings     []dayone.Holding     `json:"holdings"`
	Runs         []dayone.Run         `json:"runs"`
	Tasks        []dayone.Task        `json:"tasks"`
	Approvals    []dayone.Petition    `json:"approvals"`
	Requests     []dayone.Request     `json:"requests"`
	Holds        []dayone.Hold        `json:"holds"`
	LegalHolds   []dayone.LegalHold   `json:"legal_holds"`
	Certificates []dayone.Certificate `json:"certificates"`
	Succession   *dayone.Succession   `json:"succession,omitempty"`
	Records      []ExportedRecord     `json:"records"`
}

// ExportedEvent is what a source said of her, with the body as it came as long as that is kept.
type ExportedEvent struct {
	dayone.Intake
	Body json.RawMessage `json:"body,omitempty"`
}

// ExportedRecord is a line of the ledger about her.
type ExportedRecord struct {
	Seq    int64         `json:"seq"`
	Chain  string        `json:"chain"`
	Record dayone.Record `json:"record"`
}

// ExportPerson gathers it, and records that it was done. ErrConflict: she was erased.
func (f *Flow) ExportPerson(ctx context.Context, id dayone.PersonID, by string) (Export, error) {
	out := Export{Person: id, Made: f.Clock.Now()}
	var err error
	if out.Row, err = f.there(ctx, id); err != nil {
		return out, err
	}
	if err := f.exported(ctx, out, by); err != nil {
		return out, err
	}
	for _, read := range []func() error{
		func() (err error) { out.Now, err = f.PersonNow(ctx, id); return },
		func() (err error) { out.Timeline, err = f.Timeline(ctx, id); return },
		func() (err error) { out.Holdings, err = f.Store.Holdings(ctx, id, true); return },
		func() (err error) { out.Tasks, err = f.Store.AllTasks(ctx, id); return },
		func() (err error) {
			out.Approvals, err = f.Store.Approvals(ctx, store.ApprovalFilter{Person: id})
			return
		},
		func() (err error) { out.Requests, err = f.Store.Requests(ctx, id, false); return },
		func() (err error) { out.Holds, err = f.Store.Holds(ctx, HoldFilter{Person: id, Ended: true}); return },
		func() (err error) { out.LegalHolds, err = f.Store.LegalHolds(ctx, id); return },
		func() (err error) { out.Certificates, err = f.Store.Certificates(ctx, id); return },
		func() error {
			s, err := f.Store.Succession(ctx, id)
			if errors.Is(err, dayone.ErrNotFound) {
				return nil
			}
			out.Succession = &s
			return err
		},
		func() error { return f.exportRuns(ctx, &out) },
		func() error { return f.exportEvents(ctx, &out) },
		func() error { return f.exportRecords(ctx, &out) },
	} {
		if err := read(); err != nil {
			return out, fmt.Errorf("gathering what is known of person %s: %w", id, err)
		}
	}
	return out, nil
}

// exported records it: of whom nobody may know it enters the ledger with what was said of her.
func (f *Flow) exported(ctx context.Context, e Export, by string) error {
	rec := dayone.Record{At: e.Made, Person: e.Person, What: "person exported", By: by}
	if e.Row.Veil == dayone.WholeVeiled {
		list, err := f.Events(ctx, EventFilter{Person: e.Person, Limit: 1})
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return f.Store.HushedRecord(ctx, list[0].ID, rec)
		}
	}
	return f.Store.Record(ctx, rec)
}

const exportPage = 500

func (f *Flow) exportRuns(ctx context.Context, out *Export) error {
	for q := (RunFilter{Person: out.Person, Limit: exportPage}); ; {
		list, err := f.Store.Runs(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r, err = f.RunOf(ctx, r.ID); err != nil {
				return err
			}
			out.Runs = append(out.Runs, r)
		}
		if len(list) < q.Limit {
			return nil
		}
		q.Before = list[len(list)-1].ID
	}
}

func (f *Flow) exportEvents(ctx context.Context, out *Export) error {
	for q := (EventFilter{Person: out.Person, Limit: exportPage}); ; {
		list, err := f.Events(ctx, q)
		if err != nil {
			return err
		}
		for _, in := range list {
			e := ExportedEvent{Intake: in}
			if !mayKnow(ctx) { // a body says all that came with it, also what the event is not shown with
				out.Said = append(out.Said, e)
				continue
			}
			body, err := f.Store.Body(ctx, in.ID)
			switch {
			case errors.Is(err, dayone.ErrNotFound):
			case err != nil:
				return err
			case json.Valid(body):
				e.Body = body
			case len(body) > 0:
				if e.Body, err = json.Marshal(string(body)); err != nil {
					return err
				}
			}
			out.Said = append(out.Said, e)
		}
		if len(list) < q.Limit {
			return nil
		}
		q.Before = list[len(list)-1].ID
	}
}

func (f *Flow) exportRecords(ctx context.Context, out *Export) error {
	for q := (RecordFilter{Person: out.Person, Limit: exportPage, Detail: true}); ; {
		lines, err := f.Store.Records(ctx, q)
		if err != nil {
			return err
		}
		for _, l := range lines {
			rec, err := RecordOf(l)
			if err != nil {
				return err
			}
			out.Records = append(out.Records, ExportedRecord{l.Seq, l.Chain, rec})
		}
		if len(lines) < q.Limit {
			return nil
		}
		q.Before = lines[len(lines)-1].Seq
	}
}
