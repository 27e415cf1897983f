// Package ledger turns records into lines that cannot be changed unnoticed. A line names nobody: it holds our own id of
// the person and a salted digest of what the system confirmed; the values themselves lie beside it under the person's
// key. The package must not store: it makes lines and verifies them. Trees and proofs of inclusion come on top of Hash.
package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/dayone-hq/dayone"
)

// Line is one line of the ledger. Hash covers Leaf, Chain covers Hash and the chain before.
type Line struct {
	Seq    int64
	Leaf   string // canonical JSON
	Digest string // of salt and detail, "" if there is no detail
	Hash   string
	Chain  string
	Detail []byte // salt and detail, to be sealed under the person's key; nil if there is none
}

// leaf is what a line says, as canonical JSON: v, seq, at, person, run, step, system, what, because (policy, at, commit,
// hash), by and digest, without those that are empty, but for v, seq, at, what and policy. The order is part of the format:
// never change it, add at the end. It is written by hand because every outcome of every step has one.
func leaf(seq int64, r *dayone.Record, digest string) string {
	b := make([]byte, 0, 512)
	b = strconv.AppendInt(append(b, `{"v":1,"seq":`...), seq, 10)
	b = r.At.UTC().AppendFormat(append(b, `,"at":"`...), timeLayout)
	b = append(b, '"')
	b = field(b, `,"person":`, string(r.Person))
	b = field(b, `,"run":`, string(r.Run))
	b = field(b, `,"step":`, string(r.Step))
	b = field(b, `,"system":`, r.System)
	b = quoted(append(b, `,"what":`...), r.What)
	for i, why := range r.Because {
		if i == 0 {
			b = append(b, `,"because":[`...)
		} else {
			b = append(b, ',')
		}
		b = quoted(append(b, `{"policy":`...), why.Policy)
		b = field(b, `,"at":`, why.At)
		b = field(b, `,"commit":`, why.Commit)
		b = field(b, `,"hash":`, why.Hash)
		if b = append(b, '}'); i == len(r.Because)-1 {
			b = append(b, ']')
		}
	}
	b = field(b, `,"by":`, r.By)
	b = field(b, `,"digest":`, digest)
	return string(append(b, '}'))
}

// field is a name and a text, or nothing if that is empty.
func field(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return quoted(append(b, name...), text)
}

// quoted is a text as encoding/json writes it.
func quoted(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			raw, _ := json.Marshal(text) // a text always encodes
			return append(b, raw...)
		}
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}

const saltBytes = 16

const timeLayout = "2006-01-02T15:04:05.000000Z"

// Append makes the line after the one whose chain is before. random gives the salt.
func Append(before string, seq int64, r dayone.Record, random io.Reader) (Line, error) {
	l, err := Make(seq, r, random)
	if err == nil {
		l.Hash, l.Chain = hashes(before, l.Leaf)
	}
	return l, err
}

// Chain is that of a leaf after the line whose chain is before.
func Chain(before, leaf string) string {
	_, chain := hashes(before, leaf)
	return chain
}

// Make makes a line that is not tied to those before it yet: many are made at the same time.
func Make(seq int64, r dayone.Record, random io.Reader) (Line, error) {
	l := Line{Seq: seq}
	if r.Detail != nil {
		l.Detail = make([]byte, saltBytes, 512)
		if _, err := io.ReadFull(random, l.Detail); err != nil {
			return l, err
		}
		var err error
		if l.Detail, err = detail(l.Detail, r.Detail); err != nil {
			return l, err
		}
		sum := sha256.Sum256(l.Detail)
		l.Digest = hex.EncodeToString(sum[:])
	}
	l.Leaf = leaf(seq, &r, l.Digest)
	return l, nil
}

// detail is a detail as JSON, by hand as a leaf is; which bytes it has does not matter, since the digest is of those.
func detail(b []byte, d *dayone.Detail) ([]byte, error) {
	b = append(b, '{')
	var err error
	for _, one := range []struct {
		name string
		it   *dayone.Item
	}{{`"Before":`, d.Before}, {`"Now":`, d.Now}} {
		if one.it == nil {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		if b, err = item(append(b, one.name...), one.it); err != nil {
			return nil, err
		}
	}
	if d.Note != "" {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = quoted(append(b, `"Note":`...), d.Note)
	}
	return append(b, '}'), nil
}

func item(b []byte, it *dayone.Item) ([]byte, error) {
	b = quoted(append(b, `{"Key":`...), it.Key.String())
	b = field(b, `,"Ref":`, it.Ref)
	b = field(b, `,"State":`, string(it.State))
	b = field(b, `,"Role":`, it.Role)
	if len(it.Attrs) > 0 {
		raw, err := it.Attrs.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"Attrs":`...), raw...)
	}
	if !it.Created.IsZero() {
		raw, err := it.Created.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"Created":`...), raw...)
	}
	return append(b, '}'), nil
}

func hashes(before, text string) (hash, chain string) {
	b := make([]byte, 0, 1024)
	h := sha256.Sum256(append(append(b, 0), text...)) // RFC 6962: leaves and nodes must not be mistaken for each other
	hash = hex.EncodeToString(h[:])
	c := sha256.Sum256(append(append(append(b, 1), before...), hash...))
	return hash, hex.EncodeToString(c[:])
}

// Verifier walks lines in order and stops at the first one that does not follow from those before.
type Verifier struct {
	chain string
	seq   int64
}

// After goes on after a line that is believed.
func After(seq int64, chain string) Verifier { return Verifier{chain, seq} }

// Next checks a line as it lies in the books.
func (v *Verifier) Next(seq int64, text, chain string) error {
	if seq != v.seq+1 {
		return fmt.Errorf("line %d follows line %d: lines are missing or were put in: %w", seq, v.seq, dayone.ErrConflict)
	}
	_, want := hashes(v.chain, text)
	if want != chain {
		return fmt.Errorf("line %d was changed, or one before it: %w", seq, dayone.ErrConflict)
	}
	v.seq, v.chain = seq, chain
	return nil
}

// Lines that were checked.
func (v *Verifier) Lines() int64 { return v.seq }

// DetailOf checks an opened detail against its line's digest and reads it.
func DetailOf(digest string, opened []byte) (dayone.Detail, error) {
	var d dayone.Detail
	sum := sha256.Sum256(opened)
	if len(opened) < saltBytes || hex.EncodeToString(sum[:]) != digest {
		return d, fmt.Errorf("the detail does not belong to its line: %w", dayone.ErrConflict)
	}
	return d, json.Unmarshal(opened[saltBytes:], &d)
}
