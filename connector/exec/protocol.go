package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dayone-hq/dayone"
)

// The protocol, version 1: one question, one answer, one process. docs/systems/exec.md is its description.

// version is that of questions and answers.
const version = 1

// question is what a program reads from its standard input.
type question struct {
	Version    int               `json:"version"`
	System     string            `json:"system"`
	Operation  string            `json:"operation"`
	Once       string            `json:"once,omitempty"` // the same for every try of a step
	Attempt    int               `json:"attempt,omitempty"`
	Account    string            `json:"account,omitempty"` // its ref
	By         string            `json:"by,omitempty"`
	Value      string            `json:"value,omitempty"`
	From       dayone.State      `json:"from,omitempty"`
	State      dayone.State      `json:"state,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Name       string            `json:"name,omitempty"`
	Ref        string            `json:"ref,omitempty"`
	Role       string            `json:"role,omitempty"`
	Attributes map[string]any    `json:"attributes,omitempty"`
	Secrets    map[string]string `json:"secrets,omitempty"` // of the account
	Secret     string            `json:"secret,omitempty"`  // by which the program is let in
}

// answer is what it writes to its standard output.
type answer struct {
	Version  int               `json:"version"`
	Account  *account          `json:"account"`
	Accounts []account         `json:"accounts"`
	Held     []entitlement     `json:"held"`
	Offers   []offer           `json:"offers"`
	Secrets  map[string]string `json:"secrets"`
	Error    *trouble          `json:"error"`
}

type account struct {
	Ref        string         `json:"ref"`
	State      dayone.State   `json:"state"`
	Attributes map[string]any `json:"attributes"`
	Created    time.Time      `json:"created"`
	Held       []entitlement  `json:"held"`
}

type entitlement struct {
	Kind  string       `json:"kind"`
	Name  string       `json:"name"`
	Ref   string       `json:"ref"`
	Role  string       `json:"role"`
	State dayone.State `json:"state"`
}

type offer struct {
	Name  string   `json:"name"`
	Ref   string   `json:"ref"`
	Title string   `json:"title"`
	Roles []string `json:"roles"`
}

type trouble struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Next    string `json:"next"`
	After   int    `json:"retry_after"` // seconds
}

// codes are what a program ends with. Every other end is no answer: the call is tried again.
var codes = map[int]error{
	10: dayone.ErrNotFound, 11: dayone.ErrConflict, 12: dayone.ErrInvalid, 13: dayone.ErrForbidden, 14: dayone.ErrAuth, 15: dayone.ErrThrottled,
	16: dayone.ErrUnavailable, 17: dayone.ErrNotYet, 18: dayone.ErrNoSeat, 19: dayone.ErrUnsupported,
}

// read reads one answer strictly: a field that is spelled wrongly would be one that is missing.
func read(raw []byte) (answer, error) {
	var a answer
	raw = bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")) // PowerShell's
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&a); err != nil {
		var field *json.UnmarshalTypeError
		switch {
		case errors.As(err, &field):
			return a, fmt.Errorf("its answer has a %s where %s is expected (%s)", field.Value, field.Type, field.Field)
		case errors.Is(err, io.EOF):
			return a, errors.New("it answered nothing")
		default:
			return a, errors.New("its answer is no JSON of this protocol")
		}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return a, errors.New("something follows its answer")
	}
	if a.Version != version {
		return a, fmt.Errorf("its answer is of version %d, and this is version %d", a.Version, version)
	}
	return a, nil
}

var known = map[dayone.State]bool{dayone.Active: true, dayone.Disabled: true, dayone.Staged: true, dayone.Pending: true}

func (a account) item(p *program) (dayone.Item, error) {
	it := dayone.Item{Key: dayone.Key{System: p.system, Kind: dayone.AccountKindName}, Ref: a.Ref, State: a.State, Created: a.Created.UTC(), Attrs: dayone.Attrs{}}
	if a.Created.IsZero() {
		it.Created = time.Time{}
	}
	switch {
	case a.Ref == "":
		return it, p.unclear("reading an account", "an account has no ref")
	case !known[a.State]:
		return it, p.unclear("reading an account", "an account has the state %q; there are active, disabled, staged and pending", string(a.State))
	}
	for name, v := range a.Attributes {
		val, err := value(v)
		if err != nil {
			return it, p.unclear("reading an account", "the attribute %s %v", name, err)
		}
		it.Attrs[name] = val
	}
	return it, nil
}

func value(v any) (dayone.Value, error) {
	switch v := v.(type) {
	case nil:
		return dayone.Text(""), nil
	case string:
		return dayone.Text(v), nil
	case bool:
		return dayone.Bool(v), nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return dayone.Value{}, errors.New("is no whole number")
		}
		return dayone.Int(n), nil
	case []any:
		var words []string
		for _, w := range v {
			s, ok := w.(string)
			if !ok {
				return dayone.Value{}, errors.New("is a list of something else than texts")
			}
			words = append(words, s)
		}
		return dayone.List(words...), nil
	default:
		return dayone.Value{}, errors.New("is an object; write a text, a whole number, a truth or a list of texts")
	}
}

func (e entitlement) item() dayone.Item {
	it := dayone.Item{Key: dayone.Key{Kind: e.Kind, Name: e.Name}, Ref: e.Ref, Role: e.Role, State: e.State}
	if it.Ref == "" {
		it.Ref = e.Name
	}
	if it.State == "" {
		it.State = dayone.Active
	}
	return it
}
