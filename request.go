package dayone

import (
	"strings"
	"time"
)

// Request is somebody's wish for an entitlement that policies offer to a person, or for a product: for all that belongs to
// it. While it stands the offer is a grant, once whoever has to has agreed.
type Request struct {
	ID      RequestID
	Person  PersonID
	Key     Key    // zero: it is for a product
	Product string `json:",omitempty"`
	Role    string
	By      string // who asks, as a mail address; "": nobody said
	Login   string // who was logged in
	Reason  string
	Made    time.Time
	Until   time.Time // the end that was asked for, or that the offer has once it is given; zero: none
	Ended   time.Time // zero: it stands
	EndBy   string
}

// What is asked for, as text: system/kind:name, or product:id.
func (r Request) What() string {
	if r.Product != "" {
		return productMark + r.Product
	}
	return r.Key.String()
}

// Asks reads what What wrote.
func (r *Request) Asks(what string) (err error) {
	if id, ok := strings.CutPrefix(what, productMark); ok {
		r.Product, r.Key = id, Key{}
		return nil
	}
	r.Key, err = ParseKey(what)
	return err
}

const productMark = "product:" // no key begins like this: one names its system and a slash first
