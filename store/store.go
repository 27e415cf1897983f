package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
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
	// Line makes the ledger line after the one whose chain is before.
	Line(before string, seq int64, r dayone.Record) (leaf, chain string, detail []byte, err error)
	// Mark is how the one-time link of a secret is stored.
	Mark(id dayone.SecretID) string
}

// DB is an open database.
type DB struct {
	bodyKey string // box of the key for raw bodies

	// Committed is told how many writes went into a commit; nil: nobody listens. Set it before the first write.
	Committed func(writes int)

	read    *sql.DB
	writing *sql.DB
	dialect dialect
	sealer  Sealer
	now     func() time.Time
	ids     *dayone.IDs
	w       *writer
}

// dialect is all in which the two differ.
type dialect struct {
	name  goose.Dialect
	begin string
}

// Open connects, migrates and starts the writer. at is sqlite:FILE, sqlite::memory: or postgres://...
func Open(ctx context.Context, at string, sealer Sealer, now func() time.Time, ids *dayone.IDs) (*DB, error) {
	d := &DB{sealer: sealer, now: now, ids: ids}
	var err error
	switch {
	case strings.HasPrefix(at, "sqlite:"):
		err = d.openSQLite(strings.TrimPrefix(at, "sqlite:"))
	case strings.HasPrefix(at, "postgres://"), strings.HasPrefix(at, "postgresql://"):
		err = d.openPostgres(at)
	default:
		return nil, fmt.Errorf("the database is neither sqlite:FILE nor postgres://...: %w", dayone.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bringing the database up to date: %w", err), d.closePools())
	}
	d.w, err = newWriter(ctx, d)
	if err != nil {
		return nil, errors.Join(err, d.closePools())
	}
	if err := d.write(ctx, func(t *tx) (err error) {
		d.bodyKey, err = d.key(t, "")
		return err
	}); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) openSQLite(file string) error {
	d.dialect = dialect{goose.DialectSQLite3, "BEGIN IMMEDIATE"}
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(0)", "cache_size(-16000)", "temp_store(MEMORY)", "journal_size_limit(67108864)",
	}}
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath() + "?" + q.Encode()
	var err error
	if d.writing, err = sql.Open("sqlite", dsn); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	d.writing.SetMaxOpenConns(1)
	if err := d.writing.Ping(); err != nil {
		return fmt.Errorf("opening the database %s: %w", file, err)
	}
	if d.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	d.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)*2))
	return nil
}

func (d *DB) openPostgres(at string) error {
	d.dialect = dialect{goose.DialectPostgres, "BEGIN"}
	cfg, err := pgx.ParseConfig(at)
	if err != nil {
		return fmt.Errorf("reading the database's address: %w", dayone.ErrInvalid) // the address may hold a password
	}
	d.writing = stdlib.OpenDB(*cfg)
	d.read = stdlib.OpenDB(*cfg)
	d.read.SetMaxOpenConns(max(8, runtime.GOMAXPROCS(0)*4))
	d.writing.SetMaxOpenConns(2)
	if err := d.writing.Ping(); err != nil {
		return fmt.Errorf("reaching the database: %w: %w", err, dayone.ErrUnavailable)
	}
	return nil
}

func (d *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d.dialect.name, d.writing, files)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close waits for the write under way and disconnects.
func (d *DB) Close() error {
	d.w.close()
	return d.closePools()
}

func (d *DB) closePools() error {
	var errs []error
	for _, p := range []*sql.DB{d.read, d.writing} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// Ready says whether the database answers.
func (d *DB) Ready(ctx context.Context) error {
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
