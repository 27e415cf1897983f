package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// databases are addresses of an empty one of each kind.
func databases(t *testing.T) map[string]string {
	return map[string]string{"SQLite": file(t), "PostgreSQL": storetest.Postgres(t)}
}

func reopen(t *testing.T, at string, s flow.Sealer) (*store.DB, error) {
	t.Helper()
	return store.Open(t.Context(), at, s, time.Now, dayone.NewIDs(time.Now, rand.Reader))
}

func beside(t *testing.T, at string) *store.DB {
	t.Helper()
	d, err := store.OpenBeside(t.Context(), at, sealer(t), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// By another name of the same file a second server would take another lock and write another log.
func TestADatabaseHasOneName(t *testing.T) {
	t.Parallel()
	at := file(t)
	first := open(t, at)
	name := strings.TrimPrefix(at, "sqlite:")
	second := filepath.Join(t.TempDir(), "second.db")
	if err := os.Link(name, second); err != nil {
		t.Skipf("this file system has no hard links: %v", err)
	}
	if _, err := reopen(t, "sqlite:"+second, sealer(t)); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "2 names") {
		t.Fatalf("by its second name: %v", err)
	}
	if _, err := store.OpenBeside(t.Context(), "sqlite:"+second, sealer(t), time.Now); !errors.Is(err, dayone.ErrConflict) {
		t.Fatalf("beside, by its second name: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, at, sealer(t)); !errors.Is(err, dayone.ErrConflict) {
		t.Fatalf("by its first name while there is a second: %v", err)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	again, err := reopen(t, at, sealer(t))
	if err != nil {
		t.Fatalf("with one name again: %v", err)
	}
	_ = again.Close()
}

// A second server is told that there is a first, and the first does not notice. Reading goes on, and so does the one
// change that a command makes.
func TestADatabaseHasOneOwner(t *testing.T) {
	t.Parallel()
	for name, at := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := open(t, at)
			for range 2 {
				if _, err := reopen(t, at, sealer(t)); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "another dayone is at work") {
					t.Fatalf("a second server: %v", err)
				}
			}
			p := storetest.Sarah(t, first)
			looks(t, at, p)
			command := beside(t, at)
			if err := command.Record(t.Context(), dayone.Record{What: "a line of a second hand"}); !errors.Is(err, dayone.ErrUnsupported) {
				t.Errorf("a line in the ledger: %v", err)
			}
			now := time.Now()
			if err := command.AddStage(t.Context(), dayone.PolicyVersion{ID: "a"}, dayone.Stage{Applied: now}, 0, []dayone.PersonID{p}); err != nil {
				t.Error(err)
			}
			if due, err := first.Due(t.Context(), now, 10); err != nil || len(due) != 1 {
				t.Errorf("due are %v, %v", due, err)
			}
			if err := first.Record(t.Context(), dayone.Record{What: "a line of the first"}); err != nil {
				t.Error(err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			if err := open(t, at).Record(t.Context(), dayone.Record{What: "a line of the next"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestADatabaseHasOneOwnerWhateverItIsCalled(t *testing.T) {
	t.Parallel()
	at := file(t)
	open(t, at)
	link := filepath.Join(t.TempDir(), "other.db")
	if err := os.Symlink(strings.TrimPrefix(at, "sqlite:"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, "sqlite:"+link, sealer(t)); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("by another name: %v", err)
	}
}

// What the owner writes about people and what a command makes due at the same time meet in the same rows.
func TestPoliciesAreAppliedWhileTheServerWrites(t *testing.T) {
	t.Parallel()
	for name, at := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, command := open(t, at), (*store.DB)(nil)
			var all []dayone.PersonID
			for i := range 100 {
				p := dayone.PersonID(fmt.Sprintf("per_%03d", i))
				all = append(all, p)
				if err := server.Save(t.Context(), store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: "x"}}); err != nil {
					t.Fatal(err)
				}
			}
			command = beside(t, at)
			ctx, stop := context.WithCancel(t.Context())
			var writing sync.WaitGroup
			for w := range 8 {
				writing.Go(func() {
					for n := 0; ctx.Err() == nil; n++ {
						p := all[(w*131+len(all)-n%len(all))%len(all)] // downwards, where the command goes upwards
						if err := server.SaveRow(t.Context(), store.Row{ID: p, Name: "y"}, time.Time{}, time.Time{}); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for seq := range int64(8) {
				v := dayone.PolicyVersion{ID: fmt.Sprint("v", seq)}
				if err := command.AddStage(t.Context(), v, dayone.Stage{Applied: time.Now()}, seq, all); err != nil {
					t.Error(err)
				}
			}
			stop()
			writing.Wait()
			if last, err := server.LastStage(t.Context()); err != nil || last != 8 {
				t.Errorf("the server sees stage %d, %v", last, err)
			}
		})
	}
}

// Another master key would open nothing that is there, and seal what nobody can read later.
func TestAnotherMasterKeyIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	k, err := secret.New(bytes.Repeat([]byte{7}, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := flow.Sealer{Keeper: k, Random: rand.Reader}
	for name, at := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if there, err := store.There(t.Context(), at); there || err != nil {
				t.Errorf("before it is made: %v, %v", there, err)
			}
			d := open(t, at)
			p := storetest.Sarah(t, d)
			if there, err := store.There(t.Context(), at); !there || err != nil {
				t.Errorf("beside a server: %v, %v", there, err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if there, err := store.There(t.Context(), at); !there || err != nil {
				t.Errorf("after it: %v, %v", there, err)
			}
			if _, err := reopen(t, at, other); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "made with another") {
				t.Errorf("a server: %v", err)
			}
			if _, err := store.OpenBeside(t.Context(), at, other, time.Now); !errors.Is(err, dayone.ErrConflict) {
				t.Errorf("a command: %v", err)
			}
			if _, err := store.OpenToRead(t.Context(), at, other, time.Now); !errors.Is(err, dayone.ErrConflict) {
				t.Errorf("a look: %v", err)
			}
			if l, err := open(t, at).Timeline(t.Context(), p); err != nil || len(l.Facts) != 4 {
				t.Errorf("with its own key it shows %+v, %v", l, err)
			}
		})
	}
}

// After a stop the file alone is the database: whoever copies it has everything, though somebody was reading.
func TestAStoppedDatabaseIsOneFile(t *testing.T) {
	t.Parallel()
	at := file(t)
	path := strings.TrimPrefix(at, "sqlite:")
	d := open(t, at)
	p := storetest.Sarah(t, d)
	reader, err := toRead(t, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if _, err := reader.Timeline(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(path + "-wal"); err == nil && i.Size() > 0 {
		t.Errorf("%d bytes are left in the log", i.Size())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	looks(t, "sqlite:"+copied, p)
}

// SQLite goes on writing into a file that nobody finds any more. Nothing that goes there is said to be kept.
func TestADatabaseThatIsTakenAwayIsNoticed(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(path string) error{
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			raw, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".new", raw, 0o600), os.Rename(path+".new", path))
		},
		"without its log": func(path string) error { return os.Remove(path + "-wal") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := file(t)
			d := open(t, at)
			if err := d.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := take(strings.TrimPrefix(at, "sqlite:")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := d.Accept(t.Context(), dayone.Event{ID: "evt_1", Source: "hr", SourceID: "1", Subject: "e1"}, []byte("{}")); !errors.Is(err, dayone.ErrUnavailable) {
				t.Errorf("an event: %v", err)
			}
			if err := d.Ready(t.Context()); !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "removed or replaced") {
				t.Errorf("ready: %v", err)
			}
			<-d.Lost()
		})
	}
}

func TestADatabaseThatIsTakenAwayIsNoticedWhileNobodyWrites(t *testing.T) {
	t.Parallel()
	at := file(t)
	d := open(t, at)
	if err := os.Remove(strings.TrimPrefix(at, "sqlite:")); err != nil {
		t.Fatal(err)
	}
	<-d.Lost()
}
