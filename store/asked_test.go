package store_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// A database in which nobody could be found by what asks them finds everybody once this program has opened it, and only with its own
// master key.
func TestWhatWasOpenBeforeIsFoundByWhomItAsks(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		at := file(t)
		openBefore(t, at, "sqlite", "file:"+strings.TrimPrefix(at, "sqlite:"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		at := storetest.Postgres(t)
		openBefore(t, at, "pgx", at)
	})
}

func openBefore(t *testing.T, at, driver, address string) {
	t.Helper()
	const vera = "Vera@company.com"
	ctx, now := t.Context(), time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	d := open(t, at)
	p := storetest.Sarah(t, d)
	asks := func(id dayone.ApprovalID, state dayone.ApprovalState, mail string) dayone.Petition {
		return dayone.Petition{ID: id, Person: p, Key: dayone.Key{System: "okta", Kind: "group", Name: string(id)}, Once: string(id), State: state, Opened: now, Due: now, Deciders: []dayone.Decider{{Mail: mail}}}
	}
	if err := d.AskApprovals(ctx, []dayone.Petition{asks("apr_1", dayone.ApprovalOpen, vera), asks("apr_2", dayone.ApprovalGiven, vera), asks("apr_3", dayone.ApprovalOpen, "john@company.com")}); err != nil {
		t.Fatal(err)
	}
	for id, who := range map[dayone.TaskID]string{"tsk_1": vera, "tsk_2": "group:Helpdesk", "tsk_3": "", "tsk_4": "john@company.com"} {
		task := dayone.Task{ID: id, Once: string(id), Title: string(id), Opened: now, Due: now, Assignee: who}
		if id != "tsk_1" { // that one is about nobody
			task.Person = p
		}
		if err := d.OpenTask(ctx, task); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	backTo(t, raw, 53)

	other, err := secret.New([]byte("another key, of thirty-two bytes"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, at, flow.Sealer{Keeper: other, Random: rand.Reader}, time.Now, dayone.NewIDs(time.Now, rand.Reader)); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "master key") {
		t.Errorf("with another master key: %v", err)
	}
	d = open(t, at)
	if found, err := d.Approvals(ctx, store.ApprovalFilter{Open: true, Asked: strings.ToUpper(vera)}); err != nil || len(found) != 1 || found[0].ID != "apr_1" {
		t.Errorf("she is asked %+v, %v", found, err)
	}
	if found, err := d.TasksBy(ctx, store.TaskFilter{Given: []string{"group:Helpdesk", strings.ToLower(vera)}}); err != nil || len(found) != 2 || found[0].ID != "tsk_1" || found[1].ID != "tsk_2" {
		t.Errorf("she was given %+v, %v", found, err)
	}
	if err := d.Erase(ctx, p, now); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := raw.QueryRow(`SELECT (SELECT COUNT(*) FROM decider) + (SELECT COUNT(*) FROM task WHERE assigned <> '')`).Scan(&left); err != nil || left != 1 { // of the task about nobody
		t.Errorf("of somebody who was erased %d digests are left, %v", left-1, err)
	}
}

// backTo takes back the migrations of a database from one on, as their files say.
func backTo(t *testing.T, raw *sql.DB, first int) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Backward(files) {
		if version, _ := strconv.Atoi(filepath.Base(file)[:5]); version < first {
			break
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, down, ok := strings.Cut(string(text), "-- +goose Down")
		if _, err := raw.Exec(down); err != nil || !ok {
			t.Fatalf("%s is not taken back: %v", file, err)
		}
	}
	if _, err := raw.Exec(fmt.Sprintf(`DELETE FROM goose_db_version WHERE version_id >= %d`, first)); err != nil {
		t.Fatal(err)
	}
}
