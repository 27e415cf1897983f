package store_test

import (
	"database/sql"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// Whoever was in a database before names were folded without their marks stands and is found without them once this program has
// opened it.
func TestWhoWasNamedBeforeIsFoundWithoutMarks(t *testing.T) {
	t.Parallel()
	for driver, at := range map[string]string{"sqlite": file(t), "pgx": storetest.Postgres(t)} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			d := open(t, at)
			for id, name := range map[dayone.PersonID]string{"per_ozge": "Özge Kaya", "per_zoe": "Zoë Adams", "per_paul": "Paul Berg"} {
				if err := d.Save(ctx, store.Saved{Person: id, New: true, Row: &store.Row{ID: id, Name: name, Email: string(id) + "@company.com", Status: dayone.Working}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			address := at
			if driver == "sqlite" {
				address = "file:" + strings.TrimPrefix(at, "sqlite:")
			}
			raw, err := sql.Open(driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			backTo(t, raw, 57)
			for _, q := range []string{ // as they lay then
				`UPDATE person SET search = 'özge kaya' WHERE id = 'per_ozge'`, `UPDATE person SET search = 'zoë adams' WHERE id = 'per_zoe'`,
				`DELETE FROM person_word WHERE person <> 'per_paul'`, `INSERT INTO person_word (word, person) VALUES ('` + hex.EncodeToString([]byte("özge kaya")) + `', 'per_ozge')`,
			} {
				if _, err := raw.ExecContext(ctx, q); err != nil {
					t.Fatal(err)
				}
			}
			d = open(t, at)
			rows, err := d.People(ctx, store.PeopleFilter{})
			if err != nil || len(rows) != 3 || rows[0].ID != "per_ozge" || rows[1].ID != "per_paul" || rows[2].ID != "per_zoe" {
				t.Errorf("they stand as %+v, %v", rows, err)
			}
			for text, id := range map[string]dayone.PersonID{"ozge": "per_ozge", "Özge": "per_ozge", "kaya": "per_ozge", "zoe": "per_zoe", "per_zoe@": "per_zoe", "paul": "per_paul"} {
				if rows, err := d.People(ctx, store.PeopleFilter{Text: text}); err != nil || len(rows) != 1 || rows[0].ID != id {
					t.Errorf("%q finds %+v, %v", text, rows, err)
				}
			}
		})
	}
}
