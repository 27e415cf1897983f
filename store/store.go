package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/dayone-hq/dayone"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Sealer keeps personal values apart: it makes ledger lines, and boxes under a person's key.
type Sealer interface {
	// NewKey makes a person's key and returns its box.
	NewKey() (box string, err error)
	// Seal puts plain text under the key in keyBox; Open takes it out. An empty keyBox was destroyed: ErrNotFound.
	Seal(keyBox string, plain []byte) (string, error)
	Open(keyBox string, box string) ([]byte, error)
	// Leaf makes a line of the ledger, and what of it is kept apart. Chain ties it to the line whose chain is before.
	Leaf(seq int64, r dayone.Record) (leaf string, detail []byte, err error)
	Chain(before, leaf string) string
	// Mark is how the one-time link of a secret is stored.
	Mark(id dayone.SecretID) string
	// Digest is by what a text is found that only lies in boxes: without the master key it tells nothing.
	Digest(text string) string
}

// DB is an open database.
type DB struct {
	bodyKey string // box of the key for raw bodies

	// Committing is told that a commit is about to be made durable, Committed how many writes went into one; nil: nobody
	// listens. Set them before the first write.
	Committing func()
	Committed  func(writes int)
	// Over, if set, writes the letters that tell of a run's end; they are kept in the transaction of the end. Set it before
	// the first write.
	Over func(dayone.Run) []dayone.Letter

	read    *sql.DB
	writing *sql.DB
	dialect dialect
	sealer  Sealer
	now     func() time.Time
	ids     *dayone.IDs
	w       *writer

	file    string    // of SQLite; "": in memory, or it is PostgreSQL
	lock    *sql.DB   // holds the lock of SQLite's owner
	session *sql.Conn // holds the lock of PostgreSQL's owner, and writes
	lease   *lease    // of PostgreSQL's owner
	self    Leader    // of SQLite's
	beside  bool      // another process may own the database
	files   []watched
	lost    chan struct{}
	// unwritten is why the disk took no write the last time; nil: it took it.
	unwritten atomic.Pointer[error]
}

// use is what a database is opened for.
type use int

const (
	owns use = iota
	besides
	reads
)

// dialect is all in which the two differ.
type dialect struct {
	name  goose.Dialect
	begin string
}

// Open connects, migrates and starts the writer. at is sqlite:FILE, sqlite::memory: or postgres://... What it makes on the
// disk only its owner reads. ErrConflict: another process owns the database, or it was made with another master key.
func Open(ctx context.Context, at string, sealer Sealer, now func() time.Time, ids *dayone.IDs) (*DB, error) {
	return OpenAs(ctx, at, sealer, now, ids, Lead{})
}

// OpenAs is Open by somebody who has a name, and may wait until another one has gone.
func OpenAs(ctx context.Context, at string, sealer Sealer, now func() time.Time, ids *dayone.IDs, lead Lead) (*DB, error) {
	for {
		d := &DB{sealer: sealer, now: now, ids: ids, lost: make(chan struct{})}
		err := d.own(ctx, at, lead)
		if err == nil {
			return d, nil
		}
		waits := lead.Waits != nil && !d.lite() && errors.Is(err, dayone.ErrUnavailable) && ctx.Err() == nil
		err = errors.Join(err, d.Close())
		if !waits {
			return nil, err
		}
		lead.Waits(Leader{}, err)
		if err := pause(ctx, cmp.Or(lead.Lasts, DefaultLease)/renewals); err != nil {
			return nil, err
		}
	}
}

// own makes this process the owner of a database, and starts its writer.
func (d *DB) own(ctx context.Context, at string, lead Lead) error {
	if err := d.connect(at, owns); err != nil {
		return err
	}
	d.self = Leader{Name: lead.Name, At: lead.At, Since: time.Now()}
	if !d.lite() {
		err := d.ownSession(ctx, lead)
		if err == nil {
			err = d.takeLead(ctx, lead) // before tables are changed, which may take longer than a lease
		}
		if err != nil {
			return err
		}
	}
	if err := d.unlock(ctx); err != nil && !missingTable(err) { // a migration may read what is sealed
		return err
	}
	if err := d.migrate(ctx); err != nil {
		return fmt.Errorf("bringing the database up to date: %w", err)
	}
	if !d.lite() {
		if err := d.takeLead(ctx, lead); err != nil {
			return err
		}
	}
	err := d.watch() // there is a log by now
	if err != nil {
		return err
	}
	if d.w, err = newWriter(ctx, d); err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) (err error) {
		d.bodyKey, err = d.key(t, "")
		return err
	})
}

// OpenToRead connects to a database as it is, for those who only look: nothing is made, migrated or written. ErrNotFound:
// there is none. ErrConflict: it was made by an older program or a newer one, or with another master key.
func OpenToRead(ctx context.Context, at string, sealer Sealer, now func() time.Time) (*DB, error) {
	d := &DB{sealer: sealer, now: now}
	if err := d.connect(at, reads); err != nil {
		return nil, err
	}
	err := d.upToDate(ctx)
	if err == nil {
		err = d.unlock(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.closePools())
	}
	return d, nil
}

func (d *DB) connect(at string, u use) error {
	d.beside = u == besides
	switch {
	case strings.HasPrefix(at, "sqlite:") && u == reads:
		return d.readSQLite(strings.TrimPrefix(at, "sqlite:"))
	case strings.HasPrefix(at, "sqlite:"):
		return d.openSQLite(strings.TrimPrefix(at, "sqlite:"))
	case strings.HasPrefix(at, "postgres://"), strings.HasPrefix(at, "postgresql://"):
		return d.openPostgres(at, u == reads)
	}
	return fmt.Errorf("the database is neither sqlite:FILE nor postgres://...: %w", dayone.ErrInvalid)
}

// lite says that the database is SQLite.
func (d *DB) lite() bool { return d.dialect.name == goose.DialectSQLite3 }

const inMemory = ":memory:"

// dsnOf addresses a file, or, in memory, a database that the connections of this process share.
func dsnOf(file string, q url.Values) string {
	if file == inMemory {
		file = "/" + rand.Text()
		q.Set("vfs", "memdb")
	}
	return "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath() + "?" + q.Encode()
}

func (d *DB) openSQLite(file string) error {
	d.dialect = dialect{goose.DialectSQLite3, "BEGIN IMMEDIATE"}
	if file != inMemory {
		d.file = file
		if err := d.take(); err != nil {
			return err
		}
	}
	// cache is how much of the file a connection keeps, in KiB; SQLite takes twice that, and the system keeps the file anyway.
	cache := func(kib int) string { return fmt.Sprintf("&_pragma=cache_size(-%d)", kib) }
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(60000)", "foreign_keys(0)", "temp_store(MEMORY)", "journal_size_limit(67108864)",
		"wal_autocheckpoint(4000)", // pages: those that every commit changes are copied out of the log a quarter as often
		"secure_delete(1)",         // what was written over or erased is not to be found in the file
	}}
	if file != inMemory {
		q.Set("mode", "rw") // a connection that is made later makes no new file in the place of one that somebody took away
	}
	dsn := dsnOf(file, q)
	var err error
	if d.writing, err = sql.Open("sqlite", dsn+cache(4000)); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	d.writing.SetMaxOpenConns(1)
	if err := d.writing.Ping(); err != nil {
		return fmt.Errorf("opening the database %s: %w", file, err)
	}
	if d.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"+cache(1000)); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	d.read.SetMaxOpenConns(sqliteReaders())
	d.read.SetMaxIdleConns(sqliteReaders()) // opening one reads the whole schema
	d.read.SetConnMaxIdleTime(time.Minute)
	return nil
}

func sqliteReaders() int { return max(4, runtime.GOMAXPROCS(0)*2) }

// Shrink gives back what SQLite keeps in memory for its writer, and for readers that nobody needs now.
func (d *DB) Shrink(ctx context.Context) error {
	if d.dialect.name != goose.DialectSQLite3 {
		return nil
	}
	d.read.SetMaxIdleConns(0) // ends those that idle
	d.read.SetMaxIdleConns(sqliteReaders())
	return d.write(ctx, func(t *tx) error {
		_, err := t.conn.ExecContext(t.ctx, `PRAGMA shrink_memory`) // it does so when it is prepared, so a prepared one would do nothing
		return err
	})
}

// ours makes the database's file and its folder before SQLite does, since SQLite lets everybody read them. The files of its
// log take after it.
func ours(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("making the folder of the database: %w", err)
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return f.Close()
}

func (d *DB) readSQLite(file string) error {
	d.dialect = dialect{name: goose.DialectSQLite3}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s: %w", file, dayone.ErrNotFound)
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)"}, "mode": {"ro"}}
	if _, err := os.Stat(file + "-wal"); errors.Is(err, fs.ErrNotExist) {
		q.Set("mode", "rw") // nobody has it open: SQLite makes a log and, unlike in mode ro, takes it away again
	}
	var err error
	if d.read, err = sql.Open("sqlite", dsnOf(file, q)); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return nil
}

// upToDate says whether the tables are those that this program knows.
func (d *DB) upToDate(ctx context.Context) error {
	p, err := d.migrations(d.read)
	if err != nil {
		return err
	}
	var known, is int64
	for _, s := range p.ListSources() {
		known = max(known, s.Version)
	}
	err = d.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&is)
	switch {
	case missingTable(err):
		return fmt.Errorf("there is nothing in the database: %w", dayone.ErrNotFound)
	case err != nil:
		return fmt.Errorf("reading the database: %w", err)
	case is < known:
		return fmt.Errorf("the database was made by an older program (its tables have version %d, and this program needs %d); dayone serve brings it up to date: %w", is, known, dayone.ErrConflict)
	case is > known:
		return fmt.Errorf("the database was made by a newer program (its tables have version %d, and this program knows %d); use the newer program: %w", is, known, dayone.ErrConflict)
	}
	return nil
}

func (d *DB) openPostgres(at string, toRead bool) error {
	d.dialect = dialect{goose.DialectPostgres, "BEGIN"}
	cfg, err := pgx.ParseConfig(at)
	if err != nil {
		return fmt.Errorf("reading the database's address: %w", dayone.ErrInvalid) // the address may hold a password
	}
	if toRead {
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
	}
	d.read = stdlib.OpenDB(*cfg)
	d.read.SetMaxOpenConns(postgresReaders())
	d.read.SetMaxIdleConns(postgresReaders()) // a new one prepares and plans each statement anew, which takes longer than most of them
	d.read.SetConnMaxIdleTime(time.Hour)
	if err := d.read.Ping(); err != nil {
		return errors.Join(fmt.Errorf("reaching the database: %w: %w", err, dayone.ErrUnavailable), d.closePools())
	}
	if toRead {
		return nil
	}
	d.writing = stdlib.OpenDB(*cfg)
	d.writing.SetMaxOpenConns(4) // the writer's session, renewals, and migrations beside them
	return nil
}

func postgresReaders() int { return max(8, runtime.GOMAXPROCS(0)*4) }

func (d *DB) migrate(ctx context.Context) error {
	p, err := d.migrations(d.writing)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func (d *DB) migrations(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	all := []*goose.Migration{
		goose.NewGoMigration(39, &goose.GoFunc{RunTx: wordEverybody}, nil),
		goose.NewGoMigration(57, &goose.GoFunc{RunTx: foldEverybody}, nil),
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return nil, err
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, t *sql.Tx) error {
			err := inTables(ctx, t, file)
			if err == nil && version == 53 {
				err = d.findAsked(ctx, t)
			}
			return err
		}}, nil))
	}
	return goose.NewProvider(d.dialect.name, pool, nil, goose.WithGoMigrations(all...))
}

// inTables does what a file says above its part for going back, all at once: goose, cutting it into statements, takes 4 MiB for
// each line, and both databases cut by themselves.
func inTables(ctx context.Context, t *sql.Tx, file string) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	if _, err = t.ExecContext(ctx, up); err != nil {
		return fmt.Errorf("%s: %w", path.Base(file), err)
	}
	return nil
}

// Close waits for the write under way and disconnects. What it leaves of SQLite is one file, which is the whole database.
func (d *DB) Close() error {
	if d.w != nil {
		d.w.close()
	}
	return d.closePools()
}

func (d *DB) closePools() error {
	var errs []error
	if d.lease != nil {
		d.lease.stop()
		<-d.lease.over
	}
	if d.session != nil {
		d.release()
	}
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	if d.writing != nil {
		if d.lock != nil {
			errs = append(errs, d.fold())
		}
		errs = append(errs, d.writing.Close())
	}
	if d.lock != nil { // at last: whoever comes next finds everything at rest
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}

// Ready says whether the database answers, is where it was, is still ours, and takes writes.
func (d *DB) Ready(ctx context.Context) error {
	if err := d.present(); err != nil {
		return err
	}
	if d.lease != nil {
		if gone := d.lease.gone.Load(); gone != nil {
			return *gone
		}
	}
	if why := d.unwritten.Load(); why != nil {
		return *why
	}
	var one int
	return d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// micros and instant are the stored form of an instant: 0 is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// taken says that a unique index refused a row.
func taken(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == 2067 || lite.Code() == 1555 // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// notFound turns sql.ErrNoRows into our kind.
func notFound(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, dayone.ErrNotFound)
	}
	return err
}

// collect reads every row, and closes.
func collect[T any](rows *sql.Rows, scan func(interface{ Scan(...any) error }) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// scanText reads a row that is one text.
func scanText(row interface{ Scan(...any) error }) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}
