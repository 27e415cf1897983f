package dayone

import (
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"time"
)

// Ids are a prefix and a ULID: "run_01jd9x...". They sort by time of birth and say what they name.
type (
	PersonID     string // per_
	EngagementID string // eng_
	EventID      string // evt_
	RunID        string // run_
	TaskID       string // tsk_
	RequestID    string // req_
	HoldID       string // hld_
	ApprovalID   string // apr_
	SecretID     string // sec_; derived from a step's Once, see package secret
	OrderID      string // ord_
	BrakeID      string // brk_
	MatchID      string // mat_
	MergeID      string // mrg_
	DriftID      string // drf_

	LegalHoldID   string // lgl_
	CertificateID string // crt_
)

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// IDs makes ids. Clock and randomness come in, so that a test or a demo can have the same ids twice. Within one
// millisecond ids still grow, as ULID asks.
type IDs struct {
	now  func() time.Time
	rand io.Reader

	mu   sync.Mutex
	last int64
	hi   uint16
	lo   uint64
}

// NewIDs wants a reader that never fails, such as crypto/rand.Reader.
func NewIDs(now func() time.Time, rand io.Reader) *IDs { return &IDs{now: now, rand: rand} }

// New returns prefix + "_" + ULID. The prefix is one of those named at the id types.
func (g *IDs) New(prefix string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	ms := g.now().UnixMilli()
	if ms <= g.last {
		ms = g.last
		if g.lo++; g.lo == 0 {
			g.hi++
		}
	} else {
		var b [10]byte
		if _, err := io.ReadFull(g.rand, b[:]); err != nil {
			panic("dayone: no randomness for ids: " + err.Error())
		}
		g.last, g.hi, g.lo = ms, binary.BigEndian.Uint16(b[:])&0x7fff, binary.BigEndian.Uint64(b[2:]) // room to grow within the millisecond
	}
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], uint64(ms)<<16|uint64(g.hi))
	binary.BigEndian.PutUint64(raw[8:], g.lo)
	return prefix + "_" + ulid(raw)
}

// ulid writes 128 bits as 26 characters of Crockford's base 32, lower case. https://github.com/ulid/spec
func ulid(raw [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(raw[:]), binary.BigEndian.Uint64(raw[8:])
	var out [26]byte
	for i := 25; i >= 0; i-- {
		out[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}

// ValidID says whether s is an id with this prefix. It guards doors through which ids come from outside.
func ValidID(prefix, s string) bool {
	body, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(body) != 26 {
		return false
	}
	for _, c := range body {
		if !strings.ContainsRune(crockford, c) {
			return false
		}
	}
	return true
}
