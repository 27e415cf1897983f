package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Split parts what a merge joined, or makes a person of one employment.
func (d *DB) Split(ctx context.Context, s Splitter) error {
	salt, err := d.nameSalt(ctx)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.together(s.Person); err != nil {
			return err
		}
		part := d.unmerge
		if s.Merge.ID == "" {
			part = d.detach
		}
		if err := part(t, &s, salt); err != nil {
			return fmt.Errorf("splitting person %s: %w", s.Person, err)
		}
		for i, id := range []dayone.PersonID{s.Person, s.Off} {
			if err := errors.Join(d.regather(t, id), d.saveRow(t, s.Rows[i]), t.keepMarks(id, s.Marks[i])); err != nil {
				return err
			}
		}
		return d.append(t, s.Records)
	})
}

// unmerge moves back what a merge moved. What came since about one of its employments goes with that; what came about the
// account that it brought goes with the account.
func (d *DB) unmerge(t *tx, s *Splitter, _ string) error {
	m, b, err := d.scanMerge(t.row(`SELECT m.id, m.person, m.other, m.made, m.undone, m.box, p.key_box FROM merge m LEFT JOIN person p ON p.id = m.person WHERE m.id = $1`, s.Merge.ID))
	switch {
	case err != nil:
		return notFound("merge "+string(s.Merge.ID), err)
	case !m.Undone.IsZero() || m.Person != s.Person || m.Other != s.Off:
		return fmt.Errorf("merge %s was taken back already: %w", m.ID, dayone.ErrConflict)
	}
	mv, err := d.mover(t, s.Person, s.Off, s.Once)
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE person SET merged = '', status = '' WHERE id = $1`, s.Off); err != nil {
		return err
	}
	for _, id := range b.Merged {
		if _, err := t.exec(`UPDATE person SET merged = $2 WHERE id = $1`, id, s.Off); err != nil {
			return err
		}
	}
	for _, f := range b.Added {
		if _, err := t.exec(`DELETE FROM fact WHERE person = $1 AND engagement = $2 AND attr = $3 AND effective = $4 AND recorded = $5 AND source = 'dayone'`,
			s.Person, f.Engagement, f.Attr, f.Effective, f.Recorded); err != nil {
			return err
		}
	}
	for _, e := range b.Moved["employment"] {
		if err := mv.employment(e, nil); err != nil {
			return err
		}
	}
	if err := mv.standingBack(&b); err != nil {
		return err
	}
	if err := mv.thingsBack(&b); err != nil {
		return err
	}
	for table, id := range map[string]string{"review": "key", "pass": "key", "name": "digest"} {
		if err := mv.named(table, "person", id, b.Moved[table]); err != nil {
			return err
		}
	}
	if err := mv.named("delegation", "delegate", "id", b.Moved["delegate"]); err != nil {
		return err
	}
	if err := mv.numbersBack(&b); err != nil {
		return err
	}
	if err := mv.unspoken(b.Moved["event"]); err != nil {
		return err
	}
	for i, id := range []dayone.PersonID{s.Person, s.Off} {
		if err := certifyAt(t, id, instant([]int64{b.Certify, b.OtherCertify}[i])); err != nil {
			return err
		}
		s.Rows[i].Managed = []bool{b.Managed, b.OtherManaged}[i]
	}
	if _, err := t.exec(`UPDATE task SET closed = $2 WHERE person = $1 AND closed = 0 AND once LIKE $3`, s.Person, micros(s.At), SecondTask+string(m.ID)+" %"); err != nil {
		return err
	}
	m.Undone, m.UndoneBy, m.Why = s.At, s.Merge.UndoneBy, s.Merge.Why
	return d.putMerge(t, m, b)
}

// SecondTask begins the Once of the task that asks a human to see to a second account; the id of the merge and the system
// follow.
const SecondTask = "merged "

// standingBack gives back what is to be done or decided, however it stands now.
func (m *mover) standingBack(b *mergeBox) error {
	for _, k := range movable {
		for _, id := range b.Moved[k.table] {
			if _, err := m.row(k.table, k.id, id, k.double, k.stands); err != nil {
				return err
			}
		}
		for _, id := range b.Ended[k.table] {
			args := []any{id}
			if k.table == "approval" {
				args = append(args, b.Next[id])
			}
			if _, err := m.t.exec(`UPDATE `+k.table+` SET `+k.again+` WHERE `+k.id+` = $1`, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// detach makes a person of employments that no merge brought.
func (d *DB) detach(t *tx, s *Splitter, salt string) error {
	var left int
	if err := t.row(`SELECT COUNT(*) FROM employment WHERE person = $1`, s.Person).Scan(&left); err != nil {
		return err
	}
	if left <= len(s.Move) {
		return fmt.Errorf("nothing would be left of person %s: %w", s.Person, dayone.ErrConflict)
	}
	box, err := d.sealer.NewKey()
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO person (id, key_box, managed, created, wake, name, search, email, manager, title, department, team, location, status, starts, ends, buddy, problem)
		VALUES ($1, $2, 0, $3, 0, '', '', '', '', '', '', '', '', '', 0, 0, '', '')`, s.Off, box, micros(s.At)); err != nil {
		return fmt.Errorf("writing person: %w", err)
	}
	mv, err := d.mover(t, s.Person, s.Off, s.Once)
	if err != nil {
		return err
	}
	for _, e := range s.Move {
		if err := mv.employment(string(e), s.Stay); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE suspicion SET state = 'other', person = '' WHERE person = $1 AND state = 'same' AND EXISTS
			(SELECT 1 FROM employment e WHERE e.id = $2 AND e.source = suspicion.source AND e.source_id = suspicion.subject)`, s.Off, e); err != nil {
			return err
		}
	}
	var names []string
	for _, n := range s.Names {
		names = append(names, nameDigest(salt, n))
	}
	slices.Sort(names)
	return mv.named("name", "person", "digest", slices.Compact(names))
}
