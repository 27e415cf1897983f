package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/dayone-hq/dayone"
)

// One process owns a database: it alone writes the ledger, whose end it knows, and brings runs about. Beside it anybody
// may read, and a command may make one change that is neither (OpenBeside). The owner holds a lock that ends with it,
// however it ends: nothing stale has ever to be cleared away.

// OpenBeside connects to a database that a server may own, for a command that makes a change of its own. It writes no
// ledger and migrates nothing. ErrNotFound: there is no database. ErrConflict: it was made by an older program or a
// newer one, or with another master key.
func OpenBeside(ctx context.Context, at string, sealer Sealer, now func() time.Time) (*DB, error) {
	d := &DB{sealer: sealer, now: now}
	if err := d.connect(at, besides); err != nil {
		return nil, err
	}
	err := d.upToDate(ctx)
	if err == nil {
		err = d.unlock(ctx)
	}
	if err == nil {
		d.w, err = newWriter(ctx, d)
	}
	if err != nil {
		return nil, errors.Join(err, d.closePools())
	}
	return d, nil
}

// There says whether there is a database, whoever made it and with whatever key.
func There(ctx context.Context, at string) (bool, error) {
	d := &DB{}
	err := d.connect(at, reads)
	if err == nil {
		err = errors.Join(d.upToDate(ctx), d.closePools())
	}
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return false, nil
	case errors.Is(err, dayone.ErrConflict): // of another version
		return true, nil
	}
	return err == nil, err
}

// Missing refuses a database of SQLite that was there and is not: its file is empty, or gone while its lock is there. Whoever
// has a key that was used asks: a new database would be taken for the old one, and everybody in it for unknown.
func Missing(at string) error {
	file, lite := strings.CutPrefix(at, "sqlite:")
	if !lite || file == inMemory {
		return nil
	}
	is, err := os.Stat(file)
	switch {
	case err == nil && is.Mode().IsRegular() && is.Size() == 0:
		return fmt.Errorf("the database %s is a file with nothing in it, while its master key is there; put a backup of it back, or, to begin anew, take the file and the master key away: %w", file, dayone.ErrConflict)
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(file + ".lock"); err == nil {
			return fmt.Errorf("the database %s is gone, while its master key and its lock are there; put a backup of it back, or, to begin anew, take %[1]s.lock and the master key away: %w", file, dayone.ErrConflict)
		}
	}
	return nil
}

// unlock tries the master key, once, before anything is done with it: a wrong one would seal what the right one cannot
// open, and open nothing that is there.
func (d *DB) unlock(ctx context.Context) error {
	box, err := d.Meta(ctx, "key_box")
	if err != nil || box == "" { // nothing was ever sealed
		return err
	}
	_, err = d.sealer.Seal(box, nil)
	if errors.Is(err, dayone.ErrForbidden) {
		return fmt.Errorf("the master key does not open this database, which was made with another; put that one back: %w", dayone.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	d.bodyKey = box
	return nil
}

// take makes the database's file if there is none, and this process its owner. Who works beside the owner does neither.
func (d *DB) take() error {
	if d.beside {
		_, err := os.Stat(d.file)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database %s: %w", d.file, dayone.ErrNotFound)
		}
		return errors.Join(err, d.oneName())
	}
	if err := ours(d.file); err != nil {
		return err
	}
	return errors.Join(d.oneName(), d.ownFile())
}

// oneName refuses a database that has a second name: by it another process would take another lock and write another log, and
// both would write over each other. A link that is followed is no second name: its end is.
func (d *DB) oneName() error {
	is, err := os.Stat(d.file)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if n := names(is); n > 1 {
		return fmt.Errorf("the database %s is there by %d names (hard links), and two processes would write over each other; remove the others, or make a copy: %w", d.file, n, dayone.ErrConflict)
	}
	return nil
}

// ownFile locks a file beside the database. The lock is one of SQLite, so it works wherever the database does.
func (d *DB) ownFile() error {
	real, err := filepath.EvalSymlinks(d.file) // one database, one lock, whatever it is called
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	lock := real + ".lock"
	if err := ours(lock); err != nil {
		return err
	}
	if d.lock, err = sql.Open("sqlite", dsnOf(lock, url.Values{"_pragma": {"journal_mode(MEMORY)", "busy_timeout(0)"}})); err != nil {
		return fmt.Errorf("locking the database: %w", err)
	}
	d.lock.SetMaxOpenConns(1)
	_, err = d.lock.Exec("BEGIN EXCLUSIVE") // its only connection stays open, and the transaction with it
	if busy(err) {
		return fmt.Errorf("another dayone is at work on the database %s; stop it first, or give each a database of its own: %w", d.file, dayone.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("locking the database: %w", err)
	}
	return nil
}

func busy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == 5 // SQLITE_BUSY
}

// fold brings SQLite's log into the file: a copy of the file alone is then a copy of everything. Who still reads keeps some
// of it in the log, which is read at the next start as after a crash.
func (d *DB) fold() error {
	_, err := d.writing.Exec(`PRAGMA busy_timeout(1000)`)
	if err == nil {
		_, err = d.writing.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	if err != nil && !busy(err) {
		return fmt.Errorf("bringing the database's log home: %w", err)
	}
	return nil
}

// checkEvery is how often the writer looks whether its files are there while there is nothing to write.
const checkEvery = 2 * time.Second

// watched is a file by its name and by what it was when the database was opened.
type watched struct {
	name string
	was  os.FileInfo
}

// watch remembers the database's files. SQLite goes on writing into a file that was removed, and nobody ever finds there
// what was written.
func (d *DB) watch() error {
	if d.file == "" {
		return nil
	}
	for _, name := range []string{d.file, d.file + "-wal"} {
		was, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("opening the database: %w", err)
		}
		d.files = append(d.files, watched{name, was})
	}
	return nil
}

// present says whether what is written can be found again.
func (d *DB) present() error {
	for _, f := range d.files {
		is, err := os.Stat(f.name)
		if err == nil && os.SameFile(is, f.was) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking at the database: %w: %w", err, dayone.ErrUnavailable)
		}
		return fmt.Errorf("the file %s was removed or replaced while it was in use, and nothing is kept any more; put back what was there, or a backup, and start again: %w", f.name, dayone.ErrUnavailable)
	}
	return nil
}

// Lost is closed when this process owns the database no more, be it that its files are gone or that another leads: whoever
// owned it ends then. Ready says why.
func (d *DB) Lost() <-chan struct{} { return d.lost }
