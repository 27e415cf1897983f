package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
)

// asked is by what whoever is asked is found: a mail address in small letters, group:NAME as it is written. "": nobody is.
func (d *DB) asked(who string) string {
	switch {
	case who == "":
		return ""
	case !strings.HasPrefix(who, "group:"):
		who = strings.ToLower(who)
	}
	return d.sealer.Digest("asked " + who)
}

// askedIn is asked, of what lies in a box: once nothing is kept in that, nobody is found by it.
func (d *DB) askedIn(box, who string) string {
	if box == "" {
		return ""
	}
	return d.asked(who)
}

// deciders keeps by whom an approval is found: while it is open by those who may decide, as they were found last.
func (d *DB) deciders(t *tx, r *dayone.Petition, box string) error {
	if _, err := t.exec(`DELETE FROM decider WHERE approval = $1`, string(r.ID)); err != nil {
		return fmt.Errorf("writing who decides: %w", err)
	}
	if r.State != dayone.ApprovalOpen || box == "" {
		return nil
	}
	for _, one := range r.Deciders {
		if _, err := t.exec(putDecider, d.asked(one.Mail), string(r.ID)); err != nil {
			return fmt.Errorf("writing who decides: %w", err)
		}
	}
	return nil
}

const putDecider = `INSERT INTO decider (digest, approval) VALUES ($1, $2) ON CONFLICT (digest, approval) DO NOTHING`

// findAsked is a part of migration 53: what was open before is found by whoever is asked, too, and what a merge ended, since taking
// that back opens it.
func (d *DB) findAsked(ctx context.Context, db *sql.Tx) error {
	type open struct {
		id, box string
		key     sql.NullString
	}
	read := func(query string) ([]open, error) {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		return collect(rows, func(s interface{ Scan(...any) error }) (o open, err error) { return o, s.Scan(&o.id, &o.box, &o.key) })
	}
	approvals, err := read(`SELECT a.id, a.box, p.key_box FROM approval a LEFT JOIN person p ON p.id = a.person WHERE a.state = 'open'`)
	if err != nil {
		return err
	}
	for _, o := range approvals {
		var is struct{ Deciders []dayone.Decider }
		if _, err := d.unseal(o.key, o.box, &is); err != nil {
			return fmt.Errorf("approval %s does not read: %w", o.id, err)
		}
		for _, one := range is.Deciders {
			if _, err := db.ExecContext(ctx, putDecider, d.asked(one.Mail), o.id); err != nil {
				return err
			}
		}
	}
	tasks, err := read(`SELECT t.id, t.box, p.key_box FROM task t LEFT JOIN person p ON p.id = t.person WHERE t.closed = 0 OR t.done_box = ''`)
	if err != nil {
		return err
	}
	for _, o := range tasks {
		var is struct{ Who string }
		if _, err := d.unseal(o.key, o.box, &is); err != nil {
			return fmt.Errorf("task %s does not read: %w", o.id, err)
		}
		if is.Who == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, `UPDATE task SET assigned = $2 WHERE id = $1`, o.id, d.asked(is.Who)); err != nil {
			return err
		}
	}
	return nil
}

// Held are the entitlements of a kind that whoever has a mail address has.
func (d *DB) Held(ctx context.Context, mail, kind string) ([]dayone.Key, error) {
	if mail == "" {
		return nil, nil
	}
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT h.key FROM holding h JOIN person p ON p.id = h.person
		WHERE p.email = $1 AND h.kind = $2 AND h.state = 'active' ORDER BY h.key`, strings.ToLower(mail), kind)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (k dayone.Key, err error) {
		var text string
		if err := s.Scan(&text); err != nil {
			return k, err
		}
		return dayone.ParseKey(text)
	})
}
