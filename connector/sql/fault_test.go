package sql_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sql"
)

// changed are an application's settings with others in them.
func changed(a *app, pairs ...string) map[string]string {
	out := maps.Clone(a.settings)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// Who is not let in, or may not do it, is told what an administrator does about it; nobody is told a secret.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	my := onMariaDB(t)(t)
	for name, c := range map[string]struct {
		settings map[string]string
		kind     error
		says     string
	}{
		"wrong password": {changed(my, "password", "Wrong-passw0rd"), dayone.ErrAuth, "password"},
		"wrong database": {changed(my, "database", "nothing"), dayone.ErrForbidden, "grant"},
		"unknown issuer": {changed(my, "ca", ""), dayone.ErrInvalid, "setting ca"},
		"no encryption":  {changed(my, "tls", "off"), dayone.ErrAuth, "tls"},
	} {
		err := with(t, my, c.settings).guard.Check(ctx)
		connectortest.Told(t, err, c.kind, c.says)
		if strings.Contains(err.Error(), "passw0rd") || strings.Contains(err.Error(), my.settings["password"]) {
			t.Errorf("%s: %v holds a secret", name, err)
		}
	}

	pg := onPostgres(t)
	connectortest.Told(t, with(t, pg, changed(pg, "user", "nobody_here")).guard.Check(ctx), dayone.ErrAuth, "password")
	connectortest.Told(t, with(t, pg, changed(pg, "database", "nothing_here")).guard.Check(ctx), dayone.ErrInvalid, "setting database")
	connectortest.Told(t, with(t, pg, changed(pg, "tls", "verify")).guard.Check(ctx), dayone.ErrUnavailable)
	if os.Getenv("DAYONE_TEST_POSTGRES") == "" { // a server of ours: others' may not let us make users
		ref := reach(t, pg).join(sarah)
		clerk := "clerk_" + pg.settings["database"]
		pg.do(t, `CREATE USER `+clerk)
		pg.do(t, `GRANT SELECT ON staff, badge, staff_badge TO `+clerk)
		reader := with(t, pg, changed(pg, "user", clerk)).guard
		if err := reader.Check(ctx); err != nil {
			t.Errorf("who may read is refused: %v", err)
		}
		_, err := reader.Apply(ctx, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
		connectortest.Told(t, err, dayone.ErrForbidden, "42501", "grant")
		pg.do(t, `DROP OWNED BY `+clerk)
		pg.do(t, `DROP USER `+clerk)
	}

	lite := onSQLite(t)
	connectortest.Told(t, with(t, lite, changed(lite, "database", filepath.Join(t.TempDir(), "none.db"))).guard.Check(ctx), dayone.ErrUnavailable, "setting database")
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	connectortest.Told(t, with(t, lite, changed(lite, "database", junk)).guard.Check(ctx), dayone.ErrInvalid)
	for setting, value := range map[string]string{"database": "app.db", "definition": "x: 1"} {
		if _, err := connector.Open(sql.Factory, "clock", time.Now, connector.Options{Settings: changed(lite, setting, value)}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s = %s says %v", setting, value, err)
		}
	}
}

// A server that is away, hangs, or dies at the moment of the commit.
func TestServerInTrouble(t *testing.T) {
	t.Parallel()
	pg := onPostgres(t)
	between := newProxy(t, pg.settings["host"])
	b := with(t, pg, changed(pg, "host", between.addr))

	a := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah})
	between.cut.Store(true)
	_, err := b.guard.Apply(t.Context(), a)
	connectortest.Told(t, err, dayone.ErrUnavailable)
	if got := pg.Accounts(); len(got) != 1 {
		t.Fatalf("the commit did not arrive: %+v", got)
	}
	a.Attempt = 2
	if r, err := connectortest.Apply(t.Context(), b.guard, a); err != nil || r.Now.Ref != pg.Accounts()[0].Ref || len(pg.Accounts()) != 1 {
		t.Errorf("tried again it says %+v, %v", r, err)
	}

	tx, err := pg.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`LOCK TABLE staff IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = b.guard.Observe(ctx, dayone.Subject{Ref: "1"})
	connectortest.Told(t, err, dayone.ErrUnavailable)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := b.guard.Check(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled check says %v", err)
	}
	if time.Since(began) > 5*time.Second {
		t.Error("a call that was given up goes on")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	between.stop()
	_, err = with(t, pg, changed(pg, "host", between.addr)).guard.Observe(t.Context(), dayone.Subject{Ref: "1"})
	connectortest.Told(t, err, dayone.ErrUnavailable)
	if strings.Contains(err.Error(), "user=") {
		t.Errorf("%v tells too much", err)
	}
}

// What reads cannot write, whatever stands in the definition.
func TestReadsOnlyRead(t *testing.T) {
	t.Parallel()
	pg := onPostgres(t)
	ref := reach(t, pg).join(sarah)
	sly := reach(t, pg, "get: SELECT * FROM staff WHERE id = :id", "get: WITH x AS (UPDATE staff SET status = 'L' WHERE id = :id RETURNING *) SELECT * FROM x")
	_, err := sly.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	connectortest.Told(t, err, dayone.ErrInvalid, "must not change anything")
	if got := pg.Accounts(); got[0].State != dayone.Active {
		t.Errorf("reading closed the account: %+v", got)
	}
}

// What a definition does not describe is a task with a text that says what to do, and not nothing.
func TestByHand(t *testing.T) {
	t.Parallel()
	lite := onSQLite(t)
	text := lite.settings["definition"]
	cut := func(from, to string) string {
		i := strings.Index(text, from)
		return text[i : i+strings.Index(text[i:], to)]
	}
	b := reach(t, lite, cut("  disable:", "  revoke:"), "  by_hand: {disable: The shift leader (4711) locks the badge.}\n", cut("  delete:", "kinds:"), "", cut("  update:", "  enable:"), "",
		cut("    add: ", "    change:"), "", cut("    change:", "    remove:"), "")
	ref := b.join(sarah)
	lite.do(t, `INSERT INTO session VALUES (?, 1)`, ref)
	for _, c := range []struct {
		act  dayone.Act
		says string
	}{
		{account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}), "The shift leader (4711) locks the badge (the account " + ref + ")"},
		{account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Boss")}}), "change in Time clock the account " + ref + ": title = Boss"},
		{account(dayone.AccountDelete, ref, nil), "delete the account"},
		{badge(dayone.EntitlementAdd, ref, "gate", "day"), "give badge gate as day of the account " + ref},
	} {
		_, err := b.guard.Apply(t.Context(), c.act)
		connectortest.Told(t, err, dayone.ErrUnsupported, c.says)
	}
	n := -1
	if err := lite.QueryRow(`SELECT count(*) FROM session`).Scan(&n); err != nil || n != 0 { // what can be ended is, until somebody closes it
		t.Errorf("%d sessions are left, %v", n, err)
	}
}

func TestWrongDefinitions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, says string }{
		"unknown name":    {"mail = :email", "mail = :mail", "accounts.update names :mail"},
		"not written":     {", rank = :title", "", ""},
		"no way out":      {"  disable: UPDATE staff SET status = 'L' WHERE id = :id\n", "", ""},
		"no condition":    {"status = 'A' WHERE id = :id", "status = 'A'", "it would be about everybody"},
		"reads by a verb": {"get: SELECT * FROM staff", "get: DELETE FROM staff", "accounts.get: it begins with DELETE"},
		"of no kind":      {"    held: SELECT", "    # SELECT", "kinds.badge.held is missing"},
		"never taken":     {"    remove: DELETE", "    # DELETE", "can be given and not taken"},
	} {
		m, err := connector.ParseManifest(sql.Factory.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		text := definition(t)
		if c.says == "" {
			switch name {
			case "not written":
				c.old, c.new, c.says = "rank = :title, ", "", "accounts.update does not write :title"
			case "no way out":
				i := strings.Index(text, "  delete:")
				text = text[:i] + text[strings.Index(text, "kinds:"):]
				c.says = "add accounts.disable or accounts.delete, or say in accounts.by_hand.disable"
			}
		}
		if !strings.Contains(text, c.old) {
			t.Fatalf("%s: %q is not in the definition", name, c.old)
		}
		connectortest.Told(t, sql.Shape(m, map[string]string{"driver": "postgres", "definition": strings.Replace(text, c.old, c.new, 1)}), dayone.ErrInvalid, c.says)
	}
}

// proxy stands between the connector and a server.
type proxy struct {
	addr string
	stop func()
	cut  atomic.Bool // let the next commit through, and nothing after it
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), stop: func() { _ = l.Close() }}
	t.Cleanup(p.stop)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				return
			}
			go p.carry(in, out)
		}
	}()
	return p
}

// carry passes on what is said, until a commit that is to be the last word: the server's answer to it goes nowhere.
func (p *proxy) carry(in, out net.Conn) {
	var deaf atomic.Bool
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := out.Read(buf)
			if deaf.Load() || err != nil { // its answer says that it is done
				_ = in.Close()
				_ = out.Close()
				return
			}
			if _, err := in.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if bytes.Contains(bytes.ToLower(buf[:n]), []byte("commit")) && p.cut.Swap(false) {
				deaf.Store(true)
			}
			if _, err := out.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = out.Close()
			}
			return
		}
	}
}
