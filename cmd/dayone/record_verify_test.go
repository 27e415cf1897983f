package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// A row that somebody changed is named, with 1 as the exit code; so is an end that was cut off, by who noted it.
func TestTheLedgerIsVerifiedByCommand(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d, err := newDemoWorld(t.Context(), demoOptions{data: data, listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := d.store.Record(t.Context(), dayone.Record{At: hearing, What: "token ended", By: "the test"}); err != nil {
			t.Fatal(err)
		}
	}
	d.close()
	cfg := filepath.Join(data, "dayone.yaml")
	if err := os.WriteFile(cfg, []byte("database: sqlite:dayone.db\nmaster_key: master.key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := newRoot()
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(append([]string{"record", "verify", "--config", cfg}, args...))
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	said, err := verify()
	if err != nil || !strings.Contains(said, "none changed, put in or taken out") {
		t.Fatalf("%s %v", said, err)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	noted := lines[len(lines)-1]
	if said, err := verify("--noted", noted); err != nil {
		t.Errorf("with its own end: %s %v", said, err)
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.Join(data, "dayone.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	do := func(q string) {
		t.Helper()
		if _, err := raw.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE was AS SELECT * FROM record`)
	do(`UPDATE record SET leaf = REPLACE(leaf, 'the test', 'somebody else') WHERE seq = 3`)
	if _, err := verify(); err == nil || errors.Is(err, dayone.ErrNotFound) || !strings.Contains(err.Error(), "line 3 of the ledger is not as it was written: it, or its chain, was changed") {
		t.Errorf("a changed line: %v", err)
	}
	said, err = verify("--json")
	var is ledgerReport
	if wrong := json.Unmarshal([]byte(said), &is); wrong != nil || err == nil || is.Whole || is.Wrong != 3 || is.Lines != 2 {
		t.Errorf("as JSON: %s %v", said, err)
	}
	do(`DELETE FROM record`)
	do(`INSERT INTO record SELECT * FROM was`)
	do(`DELETE FROM record WHERE seq = (SELECT MAX(seq) FROM was)`)
	if said, err := verify(); err != nil {
		t.Errorf("a shorter ledger is whole by itself: %s %v", said, err)
	}
	if _, err := verify("--noted", noted); err == nil || !strings.Contains(err.Error(), "its end was cut off") {
		t.Errorf("a shorter ledger: %v", err)
	}
	do(`INSERT INTO record SELECT * FROM was WHERE seq = (SELECT MAX(seq) FROM was)`)
	if _, err := verify("--noted", strings.Split(noted, ":")[0]+":"+strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "not the one that was noted") {
		t.Errorf("a ledger that was written anew: %v", err)
	}
}
