package store

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// What most rows are made of (plans, steps, holdings) lies in its box packed: a version, then the fields of each shape in
// the order in which its function below names them, the same function for both ways. Reading a plan as JSON took half of
// the time of a start after a crash, and three times the room. A box that begins with a brace is JSON, as older programs
// wrote it, and still reads.
//
// A word that stood earlier in the same box is a number after that: plans repeat themselves. Words are copied out of the
// box, so that one step's id, which a queue keeps, does not keep a whole plan.
//
// The format is only added to: a new field goes to the end of its shape, behind the version that brought it
// (if p.since(2) ...), and packVersion goes up. What the newest program wrote no older one reads: it says so.

const packVersion = 1

// packs says that something goes into its box packed.
type packs interface{ pack(*pack) }

// pack is one box on its way in or out.
type pack struct {
	words []string // in the order in which they came

	out  []byte            // what was written
	many map[string]uint64 // places of words, once they are many

	reading bool
	in      []byte // what is still to be read
	whole   string // all of it, if words are parts of it and no copies
	err     error  // what was wrong first; after it everything reads as nothing
}

var packers = sync.Pool{New: func() any { return &pack{many: map[string]uint64{}} }}

var unpackers = sync.Pool{New: func() any { return &pack{reading: true} }}

// packed are the bytes of v.
func packed(v packs) []byte {
	p := packers.Get().(*pack)
	p.out = append(p.out[:0], packVersion)
	v.pack(p)
	out := append([]byte(nil), p.out...)
	clear(p.words)
	clear(p.many)
	p.words = p.words[:0]
	packers.Put(p)
	return out
}

// unpack reads bytes into v, which is empty. ErrUnsupported: a newer program wrote them. ErrInvalid: nobody did.
func unpack(b []byte, v packs) error { return unpackFrom(b, "", v) }

// unpackWhole is unpack for what is kept or forgotten as a whole: its words are parts of one text.
func unpackWhole(b []byte, v packs) error { return unpackFrom(b, string(b), v) }

func unpackFrom(b []byte, whole string, v packs) error {
	switch {
	case len(b) == 0:
		return fmt.Errorf("a packed box is empty: %w", dayone.ErrInvalid)
	case b[0] > packVersion:
		return fmt.Errorf("a newer program wrote it (form %d, and this program knows %d); start the newer program again: %w", b[0], packVersion, dayone.ErrUnsupported)
	case b[0] < 1:
		return broken("has no form")
	}
	p := unpackers.Get().(*pack)
	p.in, p.err, p.whole = b[1:], nil, whole
	v.pack(p)
	err := p.err
	if err == nil && len(p.in) > 0 {
		err = broken("has more in it than it says")
	}
	clear(p.words)
	p.in, p.words, p.whole = nil, p.words[:0], ""
	unpackers.Put(p)
	return err
}

func broken(why string) error { return fmt.Errorf("a packed box %s: %w", why, dayone.ErrInvalid) }

func (p *pack) fail(why string) {
	if p.err == nil {
		p.err, p.in = broken(why), nil
	}
}

// count is a number that is not negative.
func (p *pack) count(n uint64) uint64 {
	if !p.reading {
		p.out = binary.AppendUvarint(p.out, n)
		return n
	}
	if len(p.in) > 0 && p.in[0] < 0x80 { // nearly all are small
		n = uint64(p.in[0])
		p.in = p.in[1:]
		return n
	}
	n, size := binary.Uvarint(p.in)
	if size <= 0 {
		p.fail("ends in the middle of a number")
		return 0
	}
	p.in = p.in[size:]
	return n
}

// length is that of a list or map, one more than it is; 0 is nil. What cannot be there is not made room for.
func (p *pack) length(n int, none bool) (int, bool) {
	if !p.reading {
		if none {
			p.count(0)
		} else {
			p.count(uint64(n) + 1)
		}
		return n, none
	}
	c := p.count(0)
	if c == 0 {
		return 0, true
	}
	if c-1 > uint64(len(p.in)) { // each takes a byte at least
		p.fail("says that it has more than it has")
		return 0, true
	}
	return int(c - 1), false
}

func number[T ~int | ~int64 | ~uint8](p *pack, v *T) {
	n := int64(*v)
	u := p.count(uint64(n)<<1 ^ uint64(n>>63))
	if p.reading {
		n = int64(u>>1) ^ -int64(u&1)
		if *v = T(n); int64(*v) != n {
			p.fail("has a number that is too large")
			*v = 0
		}
	}
}

func yes(p *pack, v *bool) {
	n := uint64(0)
	if *v {
		n = 1
	}
	if n = p.count(n); p.reading {
		*v = n == 1
		if n > 1 {
			p.fail("has something that is neither true nor false")
		}
	}
}

// word is text: twice its length and then itself, or twice its place among those before and one.
func word[T ~string](p *pack, v *T) {
	if p.reading {
		*v = T(p.read())
		return
	}
	s := string(*v)
	if s == "" {
		p.out = append(p.out, 0)
		return
	}
	if at, there := p.place(s); there {
		p.count(at<<1 | 1)
		return
	}
	p.count(uint64(len(s)) << 1)
	p.out = append(p.out, s...)
}

// few words are looked through faster than they are looked up.
const few = 24

// place finds a word among those before, and puts it there if it is not.
func (p *pack) place(s string) (uint64, bool) {
	if len(p.words) <= few {
		for i, w := range p.words {
			if w == s {
				return uint64(i), true
			}
		}
	} else if at, there := p.many[s]; there {
		return at, true
	}
	p.words = append(p.words, s)
	switch n := len(p.words); {
	case n == few+1:
		for i, w := range p.words {
			p.many[w] = uint64(i)
		}
	case n > few:
		p.many[s] = uint64(n - 1)
	}
	return 0, false
}

func (p *pack) read() string {
	n := p.count(0)
	switch {
	case n == 0:
		return ""
	case n&1 == 1:
		if n >>= 1; n < uint64(len(p.words)) {
			return p.words[n]
		}
		p.fail("has a word again that was not there before")
		return ""
	case n>>1 > uint64(len(p.in)):
		p.fail("ends in the middle of a word")
		return ""
	}
	var s string
	if p.whole != "" {
		from := len(p.whole) - len(p.in)
		s = p.whole[from : from+int(n>>1)]
	} else {
		s = string(p.in[:n>>1])
	}
	p.in = p.in[n>>1:]
	p.words = append(p.words, s)
	return s
}

// The zones of instants.
const (
	noInstant = iota
	inUTC
	elsewhere
)

// instantOf is an instant and how its zone shows it, as JSON keeps them; zero stays zero.
func instantOf(p *pack, v *time.Time) {
	if !p.reading {
		_, offset := v.Zone()
		switch {
		case v.IsZero():
			p.count(noInstant)
			return
		case offset == 0:
			p.count(inUTC)
		default:
			p.count(elsewhere)
			number(p, &offset)
		}
		sec, nsec := v.Unix(), v.Nanosecond()
		number(p, &sec)
		number(p, &nsec)
		return
	}
	var sec int64
	var offset, nsec int
	kind := p.count(0)
	switch kind {
	case noInstant:
		*v = time.Time{}
		return
	case inUTC:
	case elsewhere:
		number(p, &offset)
	default:
		p.fail("has an instant of no kind")
		return
	}
	number(p, &sec)
	number(p, &nsec)
	if nsec < 0 || nsec >= int(time.Second) || offset <= -24*3600 || offset >= 24*3600 {
		p.fail("has an instant that there is not")
		return
	}
	t := time.Unix(sec, int64(nsec))
	if kind == elsewhere {
		if _, ours := t.Zone(); ours != offset {
			t = t.In(time.FixedZone("", offset))
		}
		*v = t
		return
	}
	*v = t.UTC()
}

// firstRoom is how many of a list are made room for before any has been read.
const firstRoom = 64

func list[T any](p *pack, v *[]T, one func(*pack, *T)) {
	n, none := p.length(len(*v), *v == nil)
	if !p.reading {
		for i := range *v {
			one(p, &(*v)[i])
		}
		return
	}
	if none {
		*v = nil
		return
	}
	out := make([]T, 0, min(n, firstRoom))
	for range n {
		var t T
		if out = append(out, t); p.err != nil {
			return
		}
		one(p, &out[len(out)-1])
	}
	*v = out
}

func dict[K comparable, V any, M ~map[K]V](p *pack, v *M, key func(*pack, *K), value func(*pack, *V)) {
	n, none := p.length(len(*v), *v == nil)
	if !p.reading {
		for k, one := range *v {
			key(p, &k)
			value(p, &one)
		}
		return
	}
	if none {
		*v = nil
		return
	}
	out := make(M, min(n, firstRoom))
	for range n {
		var k K
		var one V
		key(p, &k)
		value(p, &one)
		if p.err != nil {
			return
		}
		out[k] = one
	}
	*v = out
}

func pointer[T any](p *pack, v **T, one func(*pack, *T)) {
	there := *v != nil
	yes(p, &there)
	if !there {
		return
	}
	if p.reading {
		*v = new(T)
	}
	one(p, *v)
}
