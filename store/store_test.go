package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

func sealer(t testing.TB) flow.Sealer {
	t.Helper()
	k, err := secret.New(make([]byte, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return flow.Sealer{Keeper: k, Random: rand.Reader}
}

func open(t testing.TB, at string) *store.DB {
	t.Helper()
	d, err := store.Open(context.Background(), at, sealer(t), time.Now, dayone.NewIDs(time.Now, rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func file(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "dayone.db")
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, file(t)) })
	storetest.Privacy(t, func(t *testing.T) (*store.DB, string) { at := file(t); return open(t, at), at })
}

func TestSQLiteInMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, "sqlite::memory:") })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t) // skips here, once, where there is none
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, storetest.Postgres(t)) })
	storetest.Privacy(t, func(t *testing.T) (*store.DB, string) { at := storetest.Postgres(t); return open(t, at), at })
}

func TestOnlyTheirOwnerReadsTheFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	d := open(t, "sqlite:"+filepath.Join(dir, "dayone.db"))
	if err := d.SetMeta(t.Context(), "a", "1"); err != nil { // now there is a log, too
		t.Fatal(err)
	}
	if i, err := os.Stat(dir); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", i, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 { // the database, its log, the log's index, and the lock
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), i.Mode(), err)
		}
	}
}

func toRead(t *testing.T, at string) (*store.DB, error) {
	t.Helper()
	return store.OpenToRead(t.Context(), at, sealer(t), time.Now)
}

// contents of a folder, by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = string(raw)
	}
	return out
}

func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	at := file(t)
	dir := filepath.Dir(strings.TrimPrefix(at, "sqlite:"))
	if _, err := toRead(t, at); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no database: %v", err)
	}
	if left := contents(t, dir); len(left) != 0 {
		t.Errorf("looking for one made %v", left)
	}
	live := open(t, at)
	p := storetest.Sarah(t, live)
	looks(t, at, p) // beside a server
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if lock, ok := before["dayone.db.lock"]; len(before) != 2 || !ok || lock != "" {
		t.Errorf("closed, it leaves more than the database and an empty lock: %d files", len(before))
	}
	looks(t, at, p)
	if after := contents(t, dir); !reflect.DeepEqual(before, after) {
		t.Error("the files have changed")
	}
}

func TestLookingAtPostgresChangesNothing(t *testing.T) {
	t.Parallel()
	at := storetest.Postgres(t)
	if _, err := toRead(t, at); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("an empty database: %v", err)
	}
	looks(t, at, storetest.Sarah(t, open(t, at)))
}

func looks(t *testing.T, at string, p dayone.PersonID) {
	t.Helper()
	d, err := toRead(t, at)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := d.Timeline(t.Context(), p); err != nil || len(l.Facts) != 4 {
		t.Errorf("it shows %+v, %v", l, err)
	}
	lines, err := d.Records(t.Context(), store.RecordFilter{Detail: true})
	if err != nil || len(lines) != 1 || lines[0].Erased {
		t.Errorf("records: %+v, %v", lines, err)
	}
	if err := d.SetWake(t.Context(), p, time.Now()); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("a write says %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestLookingNeedsTablesOfThisProgram(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]string{
		"older": `DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)`,
		"newer": `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`,
	} {
		at := file(t)
		if err := open(t, at).Close(); err != nil {
			t.Fatal(err)
		}
		raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(at, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec(change); err != nil {
			t.Fatal(err)
		}
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := toRead(t, at); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
