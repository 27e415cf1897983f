package flow

import (
	"io"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/secret"
)

// Sealer keeps personal values apart for the store: ledger lines from ledger, boxes from secret.
type Sealer struct {
	Keeper *secret.Keeper
	Random io.Reader
}

func (s Sealer) NewKey() (string, error) {
	box, _, err := s.Keeper.NewKey()
	return box, err
}

func (s Sealer) Seal(keyBox string, plain []byte) (string, error) {
	k, err := s.Keeper.OpenKey(keyBox)
	if err != nil {
		return "", err
	}
	return k.Seal(plain)
}

func (s Sealer) Open(keyBox, box string) ([]byte, error) {
	k, err := s.Keeper.OpenKey(keyBox)
	if err != nil {
		return nil, err
	}
	return k.Open(box)
}

func (s Sealer) Leaf(seq int64, r dayone.Record) (string, []byte, error) {
	l, err := ledger.Make(seq, r, s.Random)
	return l.Leaf, l.Detail, err
}

func (s Sealer) Chain(before, leaf string) string { return ledger.Chain(before, leaf) }

func (s Sealer) Digest(text string) string { return secret.Mark(s.Keeper.Token("digest " + text)) }

func (s Sealer) Mark(id dayone.SecretID) string { return secret.Mark(s.Keeper.Token(string(id))) }
