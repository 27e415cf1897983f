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

// leaf is what a line says. Field order is part of the format: never change it, add at the end.
type leaf struct {
	Version int             `json:"v"`
	Seq     int64           `json:"seq"`
	At      string          `json:"at"` // RFC 3339 with microseconds, UTC
	Person  dayone.PersonID `json:"person,omitempty"`
	Run     dayone.RunID    `json:"run,omitempty"`
	Step    string          `json:"step,omitempty"`
	System  string          `json:"system,omitempty"`
	What    string          `json:"what"`
	Because []because       `json:"because,omitempty"`
	By      string          `json:"by,omitempty"`
	Digest  string          `json:"digest,omitempty"`
}

type because struct {
	Policy string `json:"policy"`
	At     string `json:"at,omitempty"`
	Commit string `json:"commit,omitempty"`
	Hash   string `json:"hash,omitempty"`
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
		body, err := json.Marshal(r.Detail)
		if err != nil {
			return l, err
		}
		l.Detail = make([]byte, saltBytes, saltBytes+len(body))
		if _, err := io.ReadFull(random, l.Detail); err != nil {
			return l, err
		}
		l.Detail = append(l.Detail, body...)
		sum := sha256.Sum256(l.Detail)
		l.Digest = hex.EncodeToString(sum[:])
	}
	out := leaf{Version: 1, Seq: seq, At: r.At.UTC().Format(timeLayout), Person: r.Person, Run: r.Run, Step: string(r.Step), System: r.System, What: r.What, By: r.By, Digest: l.Digest}
	for _, b := range r.Because {
		out.Because = append(out.Because, because(b))
	}
	text, err := json.Marshal(out)
	if err != nil {
		return l, err
	}
	l.Leaf = string(text)
	return l, nil
}

func hashes(before, text string) (hash, chain string) {
	h := sha256.Sum256(append([]byte{0}, text...)) // RFC 6962: leaves and nodes must not be mistaken for each other
	hash = hex.EncodeToString(h[:])
	c := sha256.Sum256([]byte("\x01" + before + hash))
	return hash, hex.EncodeToString(c[:])
}

// Verifier walks lines in order and stops at the first one that does not follow from those before.
type Verifier struct {
	chain string
	seq   int64
}

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
