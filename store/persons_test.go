package store

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Tables that erasing, or merging, left as they are when this was first asked: what is theirs lies in boxes, is kept for proof, or is over.
// Whoever adds a table decides, and does not add to these without a reason.
var (
	stays    = strings.Fields("fact run holding record timeline certificate passed pass name number_shown number_event")
	unmerged = strings.Fields("event run secret record digest_line alert trait legal_hold certificate passed merge succession number_event call_log")
)

// A table that names a person is erased and merged, or it is said here why not.
func TestEveryTableThatNamesAPersonIsErasedAndMerged(t *testing.T) {
	t.Parallel()
	var erasing strings.Builder
	for _, q := range standing {
		erasing.WriteString(q + "\n")
	}
	for _, c := range inTheClear {
		erasing.WriteString(c.erase + "\n")
	}
	var merging strings.Builder
	for _, name := range []string{"merges.go", "mergedthings.go", "numbersmerged.go"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		merging.Write(raw)
	}
	for _, k := range movable {
		fmt.Fprintf(&merging, "UPDATE %s \n", k.table)
	}
	for _, table := range []string{"review", "pass", "name"} { // plain
		fmt.Fprintf(&merging, "UPDATE %s \n", table)
	}
	tables := tablesOfPeople(t)
	if len(tables) < 20 {
		t.Fatalf("only %v name a person", tables)
	}
	for _, table := range tables {
		writes := regexp.MustCompile(`(UPDATE|DELETE FROM) ` + table + `\b`)
		if erased := writes.MatchString(erasing.String()); erased == slices.Contains(stays, table) {
			t.Errorf("%s is erased: %t; add it to inTheClear or standing (personal.go)", table, erased)
		}
		if merged := writes.MatchString(merging.String()); merged == slices.Contains(unmerged, table) {
			t.Errorf("%s is merged: %t; add it to what a mover moves or takes away (merges.go)", table, merged)
		}
	}
}

var (
	createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	personIn    = regexp.MustCompile(`(?m)^\s*person\s+TEXT`)
	personAdded = regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN person\b`)
)

// tablesOfPeople are those of all migrations that have a column for a person.
func tablesOfPeople(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(raw), "-- +goose Down")
		for _, m := range createTable.FindAllStringSubmatch(up, -1) {
			if personIn.MatchString(m[2]) {
				out = append(out, m[1])
			}
		}
		for _, m := range personAdded.FindAllStringSubmatch(up, -1) {
			out = append(out, m[1])
		}
	}
	return out
}
