package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/store"
)

// Verified is what a look at the ledger found.
type Verified struct {
	First int64  // line that was looked at; 0: there was none to look at
	Last  int64  // line that is as it was written
	Chain string // of that
	Wrong int64  // the first line that is not; 0: all are
	Why   string
}

// verifiedAt is how often a look that takes long says how far it is.
const verifiedAt = 10_000

// Verify looks whether lines of the ledger are as they were written, from one on: none was changed, put in or taken out in between, and
// each is filed under what it says. What was cut off at the end no chain shows: who noted a line and its chain compares them. The
// line before the first is believed. told hears how many were looked at, of how many; nil: nobody does.
func Verify(ctx context.Context, db *store.DB, from int64, told func(done, of int64)) (Verified, error) {
	end, err := db.CountRecords(ctx)
	if err != nil {
		return Verified{}, fmt.Errorf("reading the ledger: %w", err)
	}
	from = max(from, 1)
	out, v := Verified{Last: from - 1}, ledger.After(from-1, "")
	if from > 1 {
		out.Last = from - 2
	}
	for l, err := range db.LedgerFrom(ctx, max(from-1, 1)) {
		if err != nil {
			return out, fmt.Errorf("reading the ledger: %w", err)
		}
		if l.Seq == from-1 {
			v, out.Last, out.Chain = ledger.After(l.Seq, l.Chain), l.Seq, l.Chain
			continue
		}
		if out.First == 0 {
			out.First = from
		}
		switch err := v.Next(l.Seq, l.Leaf, l.Chain); {
		case err != nil && l.Seq != out.Last+1:
			out.Wrong, out.Why = out.Last+1, fmt.Sprintf("line %d follows line %d: what was between them is gone", l.Seq, out.Last)
		case err != nil:
			out.Wrong, out.Why = l.Seq, "it, or its chain, was changed"
		default:
			out.Why = misfiled(l)
			if out.Why != "" {
				out.Wrong = l.Seq
			}
		}
		if out.Wrong != 0 {
			return out, nil
		}
		out.Last, out.Chain = l.Seq, l.Chain
		if told != nil && (out.Last-from+1)%verifiedAt == 0 {
			told(out.Last-from+1, max(end, out.Last)-from+1)
		}
		if out.Last >= end { // what is written meanwhile is the next look's
			break
		}
	}
	return out, nil
}

// misfiled says under what a line is found though it does not say so: lists are narrowed by what stands beside it.
func misfiled(l Line) string {
	var says struct {
		At                        time.Time
		Person, Run, System, What string
	}
	if err := json.Unmarshal([]byte(l.Leaf), &says); err != nil {
		return "it cannot be read"
	}
	for _, x := range []struct{ name, says, filed string }{
		{"what was done", says.What, l.What},
		{"the person", says.Person, string(l.Person)},
		{"the run", says.Run, string(l.Run)},
		{"the system", says.System, l.System},
		{"the time", strconv.FormatInt(says.At.UnixMicro(), 10), strconv.FormatInt(l.At, 10)},
	} {
		if x.says != x.filed {
			return fmt.Sprintf("%s beside it was changed: it is %q, and the line says %q", x.name, x.filed, x.says)
		}
	}
	return ""
}

const (
	ledgerRule   = "ledger-broken"
	ledgerNewest = 10_000 // lines that are looked at by itself; all of them by command
	ledgerHour   = 3      // of the night
)

// ledgerLook is the last look at the newest lines.
type ledgerLook struct {
	mu    sync.Mutex
	next  time.Time
	found []dayone.Alert
}

// brokenLedger looks at the newest lines of the ledger at the start and each night, and at what was wrong before.
func (f *Flow) brokenLedger(ctx context.Context, _ AlertRule, now time.Time) ([]dayone.Alert, error) {
	look := &f.ledgerLook
	look.mu.Lock()
	defer look.mu.Unlock()
	if now.Before(look.next) {
		return look.found, nil
	}
	end, err := f.Store.CountRecords(ctx)
	if err != nil {
		return nil, err
	}
	from := end - ledgerNewest + 1
	open, err := f.Store.Alerts(ctx, store.AlertFilter{Open: true, Rule: ledgerRule})
	if err != nil {
		return nil, err
	}
	for _, a := range open {
		if line, err := strconv.ParseInt(a.Subject, 10, 64); err == nil {
			from = min(from, line)
		}
	}
	is, err := Verify(ctx, f.Store, from, nil)
	if err != nil {
		return nil, err
	}
	zone, _ := f.Active().Sites[""].Location()
	t := now.In(zone)
	if look.next = time.Date(t.Year(), t.Month(), t.Day(), ledgerHour, 0, 0, 0, zone); !look.next.After(now) {
		look.next = time.Date(t.Year(), t.Month(), t.Day()+1, ledgerHour, 0, 0, 0, zone)
	}
	if look.found = nil; is.Wrong != 0 {
		look.found = []dayone.Alert{{Subject: strconv.FormatInt(is.Wrong, 10), Note: fmt.Sprintf("from line %d on it is not as it was written, and dayone record verify says why", is.Wrong)}}
	}
	return look.found, nil
}
