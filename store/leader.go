package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dayone-hq/dayone"
)

// Several processes may want one PostgreSQL database. One leads; the others stand by. Three things decide, each for what
// the others cannot:
//
//   - the lock of its session makes somebody the only leader, and falls when its connection ends: a leader that died is
//     followed at once;
//   - the lease says that it lives: a leader that was frozen, or whose machine is gone, keeps its session open, so whoever
//     stands by ends that session once the lease has run out by the database's clock;
//   - the epoch is held by every commit: whatever a displaced leader still believes, it commits nothing.
//
// What none of them can take back is a call that is under way. So whoever is about to call asks Leads first, and a call
// that is repeated does no harm.

// Lead is who wants to own a database, and how.
type Lead struct {
	Name  string        // who it is, as others are told
	At    string        // where its portal is
	Lasts time.Duration // it may be silent for so long; zero: DefaultLease
	// Waits, if set, is told who leads, again and again while somebody does: Open then waits for it to go, and for a
	// database that does not answer. Else it is ErrConflict. Nobody waits for a file of SQLite.
	Waits func(Leader, error)
}

// DefaultLease is how long a leader may be silent.
const DefaultLease = 10 * time.Second

// Leader is who owns a database.
type Leader struct {
	Epoch   int64 // 0: nobody ever did
	Name    string
	At      string
	Since   time.Time
	Renewed time.Time // its last sign of life
	Silent  bool      // by the database's clock that is too long ago
}

// renewals in the time of a lease: some may fail.
const renewals = 5

// lease is what the owner of a PostgreSQL database knows of its ownership.
type lease struct {
	epoch int64
	lasts time.Duration
	said  atomic.Pointer[time.Time] // when the last renewal that came through was sent
	gone  atomic.Pointer[error]     // why it owns the database no more
	stop  context.CancelFunc
	over  chan struct{}
}

// clockOf is PostgreSQL's clock in microseconds: the two machines' own need not agree.
const clockOf = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

// release lets go of the session lock at once: a server takes its time to notice that a connection has ended.
func (d *DB) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = d.session.ExecContext(ctx, `SELECT pg_advisory_unlock(`+lockName+`)`) // or the end of the session does it
	_ = d.session.Close()
}

// lockName is the session lock's, one for each schema.
const lockName = `hashtext('dayone'), hashtext(COALESCE(current_schema(), ''))`

// ownSession locks by the session that is going to write: who loses it has lost the lock, and writes no more.
func (d *DB) ownSession(ctx context.Context, lead Lead) error {
	var err error
	if d.session, err = d.writing.Conn(ctx); err != nil {
		return fmt.Errorf("locking the database: %w: %w", err, dayone.ErrUnavailable)
	}
	// a machine that died holds its lock until the server notices
	const alive = `SELECT set_config('tcp_keepalives_idle', '20', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '4', false)`
	if _, err := d.session.ExecContext(ctx, alive); err != nil {
		return fmt.Errorf("locking the database: %w: %w", err, dayone.ErrUnavailable)
	}
	every := cmp.Or(lead.Lasts, DefaultLease) / renewals
	for first := true; ; first = false {
		var got bool
		// asked again and again, since a statement that waits would keep the server from clearing away old rows
		if err := d.session.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+lockName+`)`).Scan(&got); err != nil {
			return fmt.Errorf("locking the database: %w: %w", err, dayone.ErrUnavailable)
		}
		if got {
			return nil
		}
		l, err := d.leader(ctx)
		if err != nil {
			return err
		}
		if lead.Waits == nil {
			return owned(l)
		}
		if first { // a wrong master key is to be told now, and not when everybody needs this process
			if err := d.unlock(ctx); err != nil && !missingTable(err) {
				return err
			}
		}
		wait := every
		if l.Silent {
			if err = d.displace(ctx, l); err == nil {
				wait = min(every, 50*time.Millisecond) // the server ends its session now
			}
		}
		lead.Waits(l, err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func owned(l Leader) error {
	who := "another dayone"
	if l.Name != "" {
		who += " (" + l.Name + ")"
	}
	return fmt.Errorf("%s is at work on the database; stop it first, or give each a database of its own, or let this one stand by (standby: true): %w", who, dayone.ErrConflict)
}

// missingTable says that a table is not there yet.
func missingTable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42P01" || err != nil && strings.Contains(err.Error(), "no such table")
}

// leader reads who leads.
func (d *DB) leader(ctx context.Context) (Leader, error) {
	var l Leader
	var since, renewed int64
	err := d.read.QueryRowContext(ctx, `SELECT epoch, name, at, since, renewed, epoch > 0 AND renewed + lasts < `+clockOf+` FROM leader`).
		Scan(&l.Epoch, &l.Name, &l.At, &since, &renewed, &l.Silent)
	if missingTable(err) || errors.Is(err, sql.ErrNoRows) {
		return Leader{}, nil // of a program that knows of no leaders
	}
	if err != nil {
		return l, fmt.Errorf("reading who is at work on the database: %w: %w", err, dayone.ErrUnavailable)
	}
	l.Since, l.Renewed = instant(since), instant(renewed)
	return l, nil
}

// displace ends the session of a leader that is silent. It is in the statement that the lease has run out: one that has
// come back meanwhile keeps its session.
func (d *DB) displace(ctx context.Context, l Leader) error {
	_, err := d.session.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND pid <> pg_backend_pid()
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND classid = (hashtext('dayone')::bigint & 4294967295)::oid AND objid = (hashtext(COALESCE(current_schema(), ''))::bigint & 4294967295)::oid
		AND EXISTS (SELECT 1 FROM leader WHERE epoch = $1 AND renewed + lasts < `+clockOf+`)`, l.Epoch)
	if err != nil {
		return fmt.Errorf("the leader is silent, and its session cannot be ended; let both connect as the same user: %w", err)
	}
	return nil
}

// takeLead begins a leadership: the epoch is raised, and from here on nothing of an earlier one is committed. It does nothing
// as long as there is no table for it.
func (d *DB) takeLead(ctx context.Context, lead Lead) error {
	if d.lease != nil {
		return nil
	}
	l := &lease{lasts: cmp.Or(lead.Lasts, DefaultLease), over: make(chan struct{})}
	sent := time.Now()
	err := d.session.QueryRowContext(ctx, `UPDATE leader SET epoch = epoch + 1, name = $1, at = $2, since = `+clockOf+`, renewed = `+clockOf+`, lasts = $3 RETURNING epoch`,
		lead.Name, lead.At, l.lasts.Microseconds()).Scan(&l.epoch)
	if missingTable(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("taking the lead: %w: %w", err, dayone.ErrUnavailable)
	}
	l.said.Store(&sent)
	d.lease = l
	// READ COMMITTED, so that what was locked meanwhile is looked at again as it is now
	d.dialect.begin = fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1 FROM leader WHERE epoch = %d FOR KEY SHARE", l.epoch)
	renewing, stop := context.WithCancel(context.Background())
	l.stop = stop
	go d.live(renewing)
	return nil
}

// live renews the lease until the database is closed, or somebody else leads.
func (d *DB) live(ctx context.Context) {
	defer close(d.lease.over)
	every := time.NewTicker(d.lease.lasts / renewals)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			err := d.renew(ctx)
			if ctx.Err() == nil && err != nil && d.silent() { // whoever stands by thinks so, too
				_ = d.lose(fmt.Errorf("the database has not answered for %s; what was not stored then is not; start again: %w", d.lease.lasts, err))
			}
			if d.lease.gone.Load() != nil {
				return
			}
		}
	}
}

// renew says that this leader lives, on a connection of its own: a long commit must not make it silent.
func (d *DB) renew(ctx context.Context) error {
	l := d.lease
	ctx, cancel := context.WithTimeout(ctx, l.lasts)
	defer cancel()
	sent := time.Now()
	// it need not be durable, and a disk that is slow for a moment is no death
	res, err := d.writing.ExecContext(ctx, fmt.Sprintf(`SET LOCAL synchronous_commit = off; UPDATE leader SET renewed = `+clockOf+` WHERE epoch = %d`, l.epoch))
	if err != nil {
		return fmt.Errorf("renewing the lease on the database: %w: %w", err, dayone.ErrUnavailable)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return d.lose(d.displaced(ctx))
	}
	l.said.Store(&sent)
	return nil
}

// Leads says whether this process may still act on what it has read. Ask before each call to the world outside. An error
// is final: this process must end.
func (d *DB) Leads(ctx context.Context) error {
	l := d.lease
	if l == nil { // SQLite's lock ends with its process and not before
		return nil
	}
	if gone := l.gone.Load(); gone != nil {
		return *gone
	}
	if !d.silent() {
		return nil
	}
	return d.renew(ctx)
}

// silent says that the lease has run out, as far as this process knows. A machine that slept may have counted the time by
// one of its two clocks only.
func (d *DB) silent() bool {
	said, now := *d.lease.said.Load(), time.Now()
	return max(now.Sub(said), now.Round(0).Sub(said.Round(0))) >= d.lease.lasts
}

// lose notes why this process owns the database no more, and tells everybody who asked.
func (d *DB) lose(why error) error {
	if d.lease.gone.CompareAndSwap(nil, &why) {
		close(d.lost)
	}
	return *d.lease.gone.Load()
}

// displaced says who leads instead of this process.
func (d *DB) displaced(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.lease.lasts)
	defer cancel()
	l, err := d.leader(ctx)
	who := cmp.Or(l.Name, "another dayone")
	if err == nil && l.Epoch != d.lease.epoch {
		return fmt.Errorf("%s has taken over the database at %s, because this process was silent for longer than %s; nothing of it was written since; start it again to let it stand by: %w",
			who, l.Since.Format(time.RFC3339), d.lease.lasts, dayone.ErrConflict)
	}
	return fmt.Errorf("the connection that owned the database has ended; what was not stored then is not; start again: %w", errors.Join(dayone.ErrUnavailable, err))
}

// dispossessed says why this process owns the database no more, if it does not.
func (d *DB) dispossessed(ctx context.Context, session *sql.Conn) error {
	if err := d.present(); err != nil || d.lease == nil {
		return err
	}
	if gone := d.lease.gone.Load(); gone != nil {
		return *gone
	}
	ctx, cancel := context.WithTimeout(ctx, d.lease.lasts)
	defer cancel()
	if err := session.PingContext(ctx); err != nil {
		return d.lose(d.displaced(context.WithoutCancel(ctx)))
	}
	return nil
}

// Leader is who leads, as the database says. Of SQLite it is whoever has opened it to own.
func (d *DB) Leader(ctx context.Context) (Leader, error) {
	if d.lite() {
		return d.self, nil
	}
	return d.leader(ctx)
}
