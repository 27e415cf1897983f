// Package sim is a program that reads a CSV file: a door system that opens for whoever stands in it. It reads the file by
// itself, as strictly as such programs are, and other administrators write into it beside Dayone.
package sim

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Head is the first line of the file: with columns of which Dayone knows nothing.
const Head = "Card No;email;login;employee_number;first_name;last_name;title;department;Status;zone;PIN hash;created"

// Program is one.
type Program struct {
	File string

	door *sim.Door
	mu   sync.Mutex
	n    int
}

// In makes one with an empty file in a folder.
func In(dir string, o sim.Options) *Program {
	p := &Program{File: filepath.Join(dir, "doors.csv"), door: sim.NewDoor(o)}
	p.write(Head + "\r\nVISITOR;;;;Visitor;;;;blocked;;0000;\r\n")
	if err := os.WriteFile(p.Zones(), []byte("kind,name,title\r\nzone,office,The office\r\nzone,lab,The laboratory\r\n"), 0o600); err != nil {
		panic(err)
	}
	return p
}

// Zones is the file with what the doors offer.
func (p *Program) Zones() string { return filepath.Join(filepath.Dir(p.File), "zones.csv") }

func (p *Program) write(text string) {
	if err := os.WriteFile(p.File, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

// ServeHTTP is nothing: it is no server.
func (p *Program) ServeHTTP(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }

// Door is here for the shape of a simulator; a file has no requests.
func (p *Program) Door() *sim.Door { return p.door }

// Settings are what a connector needs.
func (p *Program) Settings(string) map[string]string {
	return map[string]string{
		"file": p.File, "catalogue": p.Zones(), "kinds": "zone", "id": "Card No", "columns": "state=Status", "disabled": "blocked",
	}
}

// rows are the lines as the program reads them: it stops at what it does not understand.
func (p *Program) rows() (head []string, rows [][]string) {
	raw, err := os.ReadFile(p.File)
	if err != nil {
		panic(err)
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("the doors do not open any more: %v", err))
	}
	return all[0], all[1:]
}

// Accounts are those whom the doors know.
func (p *Program) Accounts() []sim.Account {
	head, rows := p.rows()
	var out []sim.Account
	for _, row := range rows {
		v := map[string]string{}
		for i, h := range head {
			v[h] = strings.TrimPrefix(row[i], "'")
		}
		a := sim.Account{Ref: v["Card No"], Login: v["login"], Email: v["email"], EmployeeNumber: v["employee_number"], FirstName: v["first_name"], LastName: v["last_name"]}
		switch v["Status"] {
		case "active":
			a.State = dayone.Active
		case "blocked":
			a.State = dayone.Disabled
		default:
			panic(fmt.Sprintf("the doors know no status %q", v["Status"]))
		}
		for _, z := range strings.Split(v["zone"], ";") {
			if z = strings.TrimSpace(z); z != "" {
				a.Entitlements = append(a.Entitlements, "zone:"+z)
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return strings.Compare(a.Login, b.Login) })
	return out
}

// Seed is another administrator who writes a line by hand.
func (p *Program) Seed(a sim.Account) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	status := "active"
	if a.State == dayone.Disabled {
		status = "blocked"
	}
	ref := fmt.Sprintf("C-%03d", p.n)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	if err := w.Write([]string{ref, a.Email, a.Login, a.EmployeeNumber, a.FirstName, a.LastName, "", "", status, strings.Join(a.Entitlements, "; "), "1234", ""}); err != nil {
		panic(err)
	}
	w.Flush()
	raw, err := os.ReadFile(p.File)
	if err != nil {
		panic(err)
	}
	p.write(string(raw) + b.String())
	return ref
}
