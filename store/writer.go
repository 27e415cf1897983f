package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/dayone-hq/dayone"
)

// maxJobs in one commit.
const maxJobs = 256

// job is one thing that must be written whole or not at all. It runs inside the writer's transaction and may run twice.
type job struct {
	do     func(*tx) error
	accept *acceptance // instead of do
	done   chan error
}

// writer is the one goroutine that writes.
type writer struct {
	jobs chan job
	conn *sql.Conn
	tx   *tx
	d    *DB

	lost bool // the files are gone, and it was said
	stop sync.Once
	quit chan struct{}
	over chan struct{}
}

// tx is the open transaction, with prepared statements that outlive it.
type tx struct {
	conn  *sql.Conn
	ctx   context.Context
	stmts map[string]*sql.Stmt

	// the ledger's end, as this transaction sees it
	seq    int64
	chain  string
	loaded bool
	keys   map[dayone.PersonID]string // key boxes

	plain bool // parameters are question marks
	bulk  map[bulkKey]string
}

type bulkKey struct {
	table string
	rows  int
}

func newWriter(ctx context.Context, d *DB) (*writer, error) {
	conn := d.session
	if conn == nil {
		var err error
		if conn, err = d.writing.Conn(ctx); err != nil {
			return nil, fmt.Errorf("opening the writer: %w", err)
		}
	}
	w := &writer{
		jobs: make(chan job, maxJobs), conn: conn, d: d, quit: make(chan struct{}), over: make(chan struct{}),
		tx: &tx{
			conn: conn, ctx: context.Background(), stmts: map[string]*sql.Stmt{}, keys: map[dayone.PersonID]string{},
			bulk: map[bulkKey]string{}, plain: d.dialect.name == goose.DialectSQLite3,
		},
	}
	go w.work()
	return w, nil
}

func (w *writer) close() {
	w.stop.Do(func() { close(w.quit) })
	<-w.over
}

var errClosed = fmt.Errorf("the database is closed: %w", dayone.ErrUnavailable)

// write runs do inside a transaction, together with whatever else is waiting, and returns when it is durable.
func (d *DB) write(ctx context.Context, do func(*tx) error) error {
	return d.submit(ctx, job{do: do})
}

func (d *DB) submit(ctx context.Context, j job) error {
	if d.w == nil {
		return fmt.Errorf("the database was opened to read only: %w", dayone.ErrUnsupported)
	}
	j.done = make(chan error, 1)
	select {
	case d.w.jobs <- j:
	case <-d.w.over:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select { // once taken it is carried out: its answer must not be lost to an impatient caller
	case err := <-j.done:
		return err
	case <-d.w.over:
		select {
		case err := <-j.done:
			return err
		default:
			return errClosed
		}
	}
}

func (w *writer) work() {
	defer close(w.over)
	defer func() {
		if w.conn != w.d.session { // which still holds the lock
			_ = w.conn.Close()
		}
	}()
	defer func() { // with a statement open SQLite leaves its log lying there, with pages as they were
		for _, s := range w.tx.stmts {
			_ = s.Close()
		}
	}()
	batch := make([]job, 0, maxJobs)
	idle := time.NewTicker(checkEvery)
	defer idle.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-idle.C:
			if w.found() == nil && (w.d.beside || w.d.dispossessed(w.tx.ctx, w.conn) == nil) {
				w.again()
			}
			continue
		case j := <-w.jobs:
			batch = append(batch[:0], j)
		}
	more:
		for len(batch) < maxJobs {
			select {
			case j := <-w.jobs:
				batch = append(batch, j)
			default:
				break more
			}
		}
		w.commit(batch)
	}
}

// found says whether what is written can be found again, and is still ours to write; the first time that it is not,
// everybody is told.
func (w *writer) found() error {
	err := w.d.present()
	if err != nil && !w.lost {
		w.lost = true
		close(w.d.lost)
	}
	return err
}

// commit writes a batch in one transaction. If one job fails, the others are tried again, each by itself. Nobody is told
// that something is kept which went into a file that is gone.
func (w *writer) commit(batch []job) {
	err := w.transaction(batch)
	gone := w.found()
	if gone == nil && err != nil && !w.d.beside { // an error may only be what a lost connection looks like
		gone = w.d.dispossessed(w.tx.ctx, w.conn)
	}
	if gone != nil {
		for _, j := range batch {
			j.done <- gone
		}
		return
	}
	if err == nil {
		if w.d.Committed != nil {
			w.d.Committed(len(batch))
		}
		for _, j := range batch {
			j.done <- nil
		}
		return
	}
	if len(batch) == 1 {
		batch[0].done <- err
		return
	}
	for _, j := range batch {
		j.done <- w.transaction([]job{j})
	}
}

// transaction carries a batch out, all of it or nothing.
func (w *writer) transaction(batch []job) error {
	err := w.attempt(batch)
	switch {
	case err == nil:
		w.d.unwritten.Store(nil)
	case full(err):
		err = fmt.Errorf("%w: %w", ErrFull, err)
		w.d.unwritten.Store(&err)
	case noDisk(err):
		err = fmt.Errorf("%w: %w", ErrDisk, err)
		w.d.unwritten.Store(&err)
	}
	return err
}

// ErrFull says that there was no room for what was to be written.
var ErrFull = fmt.Errorf("the disk of the database is full; make room, and start again: %w", dayone.ErrUnavailable)

// ErrDisk says that the disk takes no writes for another reason: it is broken, or mounted for reading, or a quota or the largest
// size of a file is reached.
var ErrDisk = fmt.Errorf("the disk of the database takes no writes; see to it, its quota and the largest size of a file: %w", dayone.ErrUnavailable)

// again tries to write while nobody does, after the disk took none: whoever asks whether we are ready keeps everybody away who
// would find out that there is.
func (w *writer) again() {
	if w.d.unwritten.Load() != nil {
		_ = w.transaction([]job{{do: func(t *tx) error {
			_, err := t.exec(`UPDATE goose_db_version SET is_applied = is_applied`)
			return err
		}}})
	}
}

// full says that there was no room for a write.
func full(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == 13 // SQLITE_FULL
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53100" // disk_full
}

// noDisk says that the disk refused a write.
func noDisk(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		code := lite.Code() & 0xff
		return code == 10 || code == 8 // SQLITE_IOERR, SQLITE_READONLY
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "58030" // io_error
}

func (w *writer) attempt(batch []job) error {
	t := w.tx
	seq, chain, loaded := t.seq, t.chain, t.loaded
	if err := w.begin(); err != nil {
		return w.rollback(err, seq, chain, loaded)
	}
	var said []*acceptance
	var err error
	for _, j := range batch {
		if j.accept != nil {
			said = append(said, j.accept)
		} else if err = j.do(t); err != nil {
			break
		}
	}
	if err == nil && len(said) > 0 {
		if err = t.accept(said); err == nil {
			err = w.d.brought(t, said)
		}
	}
	if err != nil {
		return w.rollback(err, seq, chain, loaded)
	}
	if w.d.Committing != nil {
		w.d.Committing()
	}
	if _, err := w.conn.ExecContext(t.ctx, "COMMIT"); err != nil {
		return w.rollback(fmt.Errorf("committing: %w: %w", err, dayone.ErrUnavailable), seq, chain, loaded)
	}
	return nil
}

// begin opens a transaction, in which PostgreSQL's owner holds the epoch that it took: whoever takes the next one waits for
// this commit, and after that there is nothing to hold.
func (w *writer) begin() error {
	res, err := w.conn.ExecContext(w.tx.ctx, w.d.dialect.begin)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w: %w", err, dayone.ErrUnavailable)
	}
	if w.d.lease == nil {
		return nil
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return w.d.lose(w.d.displaced(w.tx.ctx))
	}
	return nil
}

func (w *writer) rollback(cause error, seq int64, chain string, loaded bool) error {
	t := w.tx
	t.seq, t.chain, t.loaded = seq, chain, loaded
	clear(t.keys)
	_, err := w.conn.ExecContext(t.ctx, "ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") {
		return errors.Join(cause, err)
	}
	return cause
}

// exec runs a statement, prepared once.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	s, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = storable(text)
		}
	}
	return s.ExecContext(t.ctx, args...)
}

// storable replaces what PostgreSQL takes in no text: bytes that are no UTF-8, and zero. A vendor's message may hold such, cut
// in the middle of a letter, and must not fail the commit of everybody.
func storable(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func (t *tx) row(query string, args ...any) *sql.Row {
	s, err := t.prepare(query)
	if err != nil {
		return t.conn.QueryRowContext(t.ctx, query, args...) // gives the same error at Scan
	}
	return s.QueryRowContext(t.ctx, args...)
}

func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if s := t.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = s
	return s, nil
}

// table describes rows that are written in bulk: many in one statement, which is what makes a big commit cheap on both
// databases.
type table struct {
	name    string
	columns []string
	key     []string // conflict target; nil: plain insert
}

// chunks are the row counts of prepared bulk statements, largest first.
var chunks = []int{64, 16, 4, 1}

// put inserts rows, or replaces those with the same key. rows hold len(columns) values each, one after the other.
func (t *tx) put(tb table, rows []any) error {
	width := len(tb.columns)
	for _, n := range chunks {
		for len(rows) >= n*width {
			if _, err := t.exec(t.bulkText(tb, n), rows[:n*width]...); err != nil {
				return fmt.Errorf("writing %s: %w", tb.name, err)
			}
			rows = rows[n*width:]
		}
	}
	return nil
}

// each goes through the rows that a question has for some values: what it asks ends in IN.
func (t *tx) each(query string, values []any, into []any, row func()) error {
	for _, n := range chunks {
		for len(values) >= n {
			if err := t.some(query+t.marks(n), values[:n], into, row); err != nil {
				return err
			}
			values = values[n:]
		}
	}
	return nil
}

func (t *tx) some(query string, values []any, into []any, row func()) error {
	s, err := t.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, values...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row()
	}
	return rows.Err()
}

// marks stand for n values.
func (t *tx) marks(n int) string {
	var b strings.Builder
	for i := range n {
		if b.WriteByte(','); t.plain {
			b.WriteByte('?')
		} else {
			b.WriteString("$" + strconv.Itoa(i+1))
		}
	}
	return "(" + b.String()[1:] + ")"
}

// putNew inserts rows whose conflict target is not there yet, and says whether that were all of them.
func (t *tx) putNew(tb table, target string, rows []any) (all bool, err error) {
	all = true
	width := len(tb.columns)
	for _, n := range chunks {
		for len(rows) >= n*width {
			res, err := t.exec(t.bulkText(tb, n)+" ON CONFLICT "+target+" DO NOTHING", rows[:n*width]...)
			if err != nil {
				return false, fmt.Errorf("writing %s: %w", tb.name, err)
			}
			stored, err := res.RowsAffected()
			if err != nil {
				return false, fmt.Errorf("writing %s: %w", tb.name, err)
			}
			all = all && stored == int64(n)
			rows = rows[n*width:]
		}
	}
	return all, nil
}

// bulkText is statement, made once.
func (t *tx) bulkText(tb table, n int) string {
	k := bulkKey{tb.name, n}
	if s, ok := t.bulk[k]; ok {
		return s
	}
	s := tb.statement(n, t.plain)
	t.bulk[k] = s
	return s
}

// statement makes the text for n rows. SQLite looks up numbered parameters by name, each time and one after the other: it
// gets plain question marks.
func (tb table) statement(n int, plain bool) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + tb.name + " (" + strings.Join(tb.columns, ", ") + ") VALUES ")
	arg := 1
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range tb.columns {
			if c > 0 {
				b.WriteByte(',')
			}
			if plain {
				b.WriteByte('?')
			} else {
				b.WriteString("$" + strconv.Itoa(arg))
			}
			arg++
		}
		b.WriteByte(')')
	}
	if tb.key == nil {
		return b.String()
	}
	b.WriteString(" ON CONFLICT (" + strings.Join(tb.key, ", ") + ") DO UPDATE SET ")
	first := true
	for _, c := range tb.columns {
		if contains(tb.key, c) {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		b.WriteString(c + " = excluded." + c)
	}
	return b.String()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
