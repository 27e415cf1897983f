// Command exec is an example of a program for the connector exec: it keeps a badge office in one JSON file. Copy it, and put
// calls of your system where it reads and writes the file. It is given the file's name as its only argument.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Ends that have a meaning; every other one is "something broke, try again".
const (
	notFound = 10
	conflict = 11
	invalid  = 12
	notLetIn = 14
)

// question is what Dayone asks; fields that this program does not need are left out.
type question struct {
	Version                              int
	Operation, Once, Account, By, Value  string
	State, Kind, Name, Ref, Role, Secret string
	Attributes                           map[string]any
}

type account struct {
	Ref        string         `json:"ref"`
	State      string         `json:"state"`
	Attributes map[string]any `json:"attributes"`
	Created    time.Time      `json:"created"`
	Held       []held         `json:"held"`
}

type held struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Role string `json:"role,omitempty"`
}

type answer struct {
	Version  int              `json:"version"`
	Account  *account         `json:"account,omitempty"`
	Accounts []account        `json:"accounts,omitempty"`
	Held     []held           `json:"held,omitempty"`
	Offers   []map[string]any `json:"offers,omitempty"`
	Error    *trouble         `json:"error,omitempty"`
}

type trouble struct {
	end     int
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// office is all that the file holds.
type office struct {
	Secret   string    `json:"secret"` // who does not know it is not let in
	Doors    []string  `json:"doors"`
	Accounts []account `json:"accounts"`
}

func main() {
	var q question
	var a answer
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil || q.Version != 1 || len(os.Args) != 2 {
		a.Error = &trouble{end: invalid, Message: "this is no question of version 1, or the file is not named"}
	} else {
		a = serve(os.Args[1], q)
	}
	a.Version = 1
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		os.Exit(1)
	}
	if a.Error != nil {
		os.Exit(a.Error.end)
	}
}

func serve(file string, q question) answer {
	var o office
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return answer{Error: &trouble{end: 1, Message: "the badge office cannot be read"}}
	}
	if o.Secret != q.Secret {
		return answer{Error: &trouble{end: notLetIn, Message: "the badge office does not know this secret", Next: "write the right one into the system's settings"}}
	}
	a, changed := o.do(q)
	if changed && a.Error == nil {
		if err := o.save(file); err != nil {
			return answer{Error: &trouble{end: 1, Message: "the badge office cannot be written"}}
		}
	}
	return a
}

// save puts the file in the place of the one before, whole or not at all.
func (o *office) save(file string) error {
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".new")
	return errors.Join(os.WriteFile(next, raw, 0o600), os.Rename(next, file))
}

func (o *office) do(q question) (a answer, changed bool) {
	switch q.Operation {
	case "check":
		return a, false
	case "list":
		return answer{Accounts: o.Accounts}, false
	case "find":
		for _, acc := range o.Accounts {
			if v, _ := acc.Attributes[q.By].(string); strings.EqualFold(v, q.Value) {
				a.Accounts = append(a.Accounts, acc)
			}
		}
		return a, false
	case "catalogue":
		for _, d := range o.Doors {
			a.Offers = append(a.Offers, map[string]any{"name": d})
		}
		return a, false
	case "create":
		return o.create(q)
	}
	i := slices.IndexFunc(o.Accounts, func(acc account) bool { return acc.Ref == q.Account })
	if i < 0 {
		return answer{Error: &trouble{end: notFound, Message: "there is no such account"}}, false
	}
	acc := &o.Accounts[i]
	switch q.Operation {
	case "get":
		return answer{Account: acc}, false
	case "held":
		return answer{Held: acc.Held}, false
	case "update":
		for name, v := range q.Attributes {
			acc.Attributes[name] = v
		}
	case "enable", "disable":
		acc.State = map[string]string{"enable": "active", "disable": "disabled"}[q.Operation]
	case "delete":
		o.Accounts = slices.Delete(o.Accounts, i, i+1)
	case "add", "remove":
		return o.entitle(acc, q)
	default:
		return answer{Error: &trouble{end: invalid, Message: fmt.Sprintf("there is no operation %q", q.Operation)}}, false
	}
	return a, true
}

// create makes an account once: its id comes from the step, so a second try finds what the first has made.
func (o *office) create(q question) (answer, bool) {
	ref := "B" + q.Once[:min(len(q.Once), 12)]
	for i := range o.Accounts {
		if o.Accounts[i].Ref == ref {
			return answer{Account: &o.Accounts[i]}, false
		}
		if o.Accounts[i].Attributes["email"] == q.Attributes["email"] {
			return answer{Error: &trouble{end: conflict, Message: "somebody has a badge by this mail address"}}, false
		}
	}
	acc := account{Ref: ref, State: q.State, Attributes: q.Attributes, Created: time.Now().UTC().Truncate(time.Second)}
	o.Accounts = append(o.Accounts, acc)
	return answer{Account: &acc}, true
}

func (o *office) entitle(acc *account, q question) (answer, bool) {
	if !slices.Contains(o.Doors, q.Name) {
		return answer{Error: &trouble{end: notFound, Message: fmt.Sprintf("there is no door %q", q.Name)}}, false
	}
	is := held{Kind: q.Kind, Name: q.Name, Role: q.Role}
	had := len(acc.Held)
	acc.Held = slices.DeleteFunc(acc.Held, func(h held) bool { return h.Kind == is.Kind && h.Name == is.Name })
	if q.Operation == "remove" && len(acc.Held) == had {
		return answer{Error: &trouble{end: notFound, Message: "it did not open for them"}}, false
	}
	if q.Operation == "add" {
		acc.Held = append(acc.Held, is)
	}
	return answer{}, true
}
