package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

const versionColumns = `id, commit_id, author, note, made`

// SaveVersion keeps a policy folder; one that is known stays as it is.
func (d *DB) SaveVersion(ctx context.Context, v dayone.PolicyVersion) error {
	return d.write(ctx, func(t *tx) error { return t.saveVersion(v) })
}

func (t *tx) saveVersion(v dayone.PolicyVersion) error {
	_, err := t.exec(`INSERT INTO policy_version (id, files, commit_id, author, note, made) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
		v.ID, base64.StdEncoding.EncodeToString(v.Files), v.Commit, v.Author, v.Note, micros(v.Made))
	return err
}

// Version is a policy folder by its id, or by the beginning of it.
func (d *DB) Version(ctx context.Context, id string) (dayone.PolicyVersion, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+versionColumns+`, files FROM policy_version WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2`, id, id+"g")
	if err != nil {
		return dayone.PolicyVersion{}, err
	}
	defer rows.Close()
	var found []dayone.PolicyVersion
	for rows.Next() {
		var v dayone.PolicyVersion
		var made int64
		var files string
		if err := rows.Scan(&v.ID, &v.Commit, &v.Author, &v.Note, &made, &files); err != nil {
			return v, err
		}
		v.Made = instant(made)
		if v.Files, err = base64.StdEncoding.DecodeString(files); err != nil {
			return v, fmt.Errorf("policy version %s does not read: %w", v.ID, err)
		}
		found = append(found, v)
	}
	switch {
	case rows.Err() != nil:
		return dayone.PolicyVersion{}, rows.Err()
	case len(found) == 0 || id == "":
		return dayone.PolicyVersion{}, fmt.Errorf("there is no policy version %q: %w", id, dayone.ErrNotFound)
	case len(found) > 1 && found[0].ID != id:
		return dayone.PolicyVersion{}, fmt.Errorf("several policy versions begin with %q; write more of it: %w", id, dayone.ErrInvalid)
	}
	return found[0], nil
}

// ProposedVersions are policy folders that were kept and never came into force, newest first, without their files.
func (d *DB) ProposedVersions(ctx context.Context, limit int) ([]dayone.PolicyVersion, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+versionColumns+` FROM policy_version WHERE id NOT IN (SELECT version FROM policy_stage) ORDER BY made DESC, id LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.PolicyVersion
	for rows.Next() {
		var v dayone.PolicyVersion
		var made int64
		if err := rows.Scan(&v.ID, &v.Commit, &v.Author, &v.Note, &made); err != nil {
			return nil, err
		}
		v.Made = instant(made)
		out = append(out, v)
	}
	return out, rows.Err()
}

// AddStage makes a version count, and makes people due: in one commit, so that nobody is forgotten. ErrConflict: the
// latest stage is not the one it was planned after, or an act that this ends does not wait any more.
func (d *DB) AddStage(ctx context.Context, v dayone.PolicyVersion, s dayone.Stage, after int64, due []dayone.PersonID, acts ...string) error {
	covers, err := json.Marshal(s.Only)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if d.beside && !d.lite() { // the server writes the same people's rows, in an order of its own
			if _, err := t.exec(`LOCK TABLE person IN SHARE ROW EXCLUSIVE MODE`); err != nil {
				return err
			}
		}
		if err := t.saveVersion(v); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO policy_stage (seq, version, covers, approver, reason, applied, people) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			after+1, v.ID, string(covers), s.Approver, s.Reason, micros(s.Applied), s.People)
		if taken(err) {
			return fmt.Errorf("other policies were applied in the meantime: %w", dayone.ErrConflict)
		}
		if err != nil {
			return err
		}
		for _, id := range acts {
			if err := t.endAct(id, dayone.ActApplied, "", "", s.Applied); err != nil {
				return err
			}
		}
		// whoever waits for an approval: who has to agree may have changed, which no want shows
		if _, err := t.exec(`UPDATE person SET wake = $1 WHERE key_box <> '' AND id IN (SELECT person FROM approval WHERE ended = 0 AND state = 'open')`, micros(s.Applied)); err != nil {
			return err
		}
		for some := range slices.Chunk(due, 256) { // short, however many: a server waits meanwhile
			args := []any{micros(s.Applied)}
			var ids strings.Builder
			for i, p := range some {
				args = append(args, string(p))
				fmt.Fprintf(&ids, ", $%d", i+2)
			}
			if _, err := t.exec(`UPDATE person SET wake = $1 WHERE id IN (`+ids.String()[2:]+`)`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stages lists what was applied, oldest first.
func (d *DB) Stages(ctx context.Context) ([]dayone.Stage, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT seq, version, covers, approver, reason, applied, people FROM policy_stage ORDER BY seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Stage
	for rows.Next() {
		var s dayone.Stage
		var covers string
		var applied int64
		if err := rows.Scan(&s.Seq, &s.Version, &covers, &s.Approver, &s.Reason, &applied, &s.People); err != nil {
			return nil, err
		}
		s.Applied = instant(applied)
		if err := json.Unmarshal([]byte(covers), &s.Only); err != nil {
			return nil, fmt.Errorf("policy stage %d does not read: %w", s.Seq, err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// LastStage is the number of the latest stage; 0: none.
func (d *DB) LastStage(ctx context.Context) (int64, error) {
	var seq int64
	err := d.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM policy_stage`).Scan(&seq)
	return seq, err
}
