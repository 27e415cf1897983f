package main

import (
	"time"

	"github.com/dayone-hq/dayone"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// directorySource is the demo's directory. Nobody of it is here until somebody brings them in.
const directorySource = "entra"

// directoryPeople are whom it shows: those of a company that was bought, and somebody who starts soon.
var directoryPeople = []struct {
	first, last, title, department, office, country, number, kind, hired string
}{
	{"Amara", "Okafor", "Account Executive", "Sales", "London", "GB", "B-1001", "FTE", "2024-12-02"},
	{"Jonas", "Weber", "Software Engineer", "Engineering", "Berlin", "DE", "B-1002", "FTE", "2022-04-01"},
	{"María José", "Núñez Delgado", "Accountant", "Finance", "San Francisco", "US", "B-1003", "FTE", "2021-09-13"},
	{"Sarah", "Lindqvist", "Recruiter", "People", "Berlin", "DE", "B-1004", "Part-time", "2023-01-16"},
	{"Wei", "Zhang", "Software Engineer", "Engineering", "San Francisco", "US", "B-1005", "Contractor", "2024-06-03"},
}

// newDirectory fills the simulated directory. It is the same after every start.
func newDirectory(opt sim.Options) *entrasim.Sim {
	d := entrasim.New(opt)
	for _, p := range directoryPeople {
		mail := plainName(p.first) + "." + plainName(p.last) + "@company.com"
		ref := d.Seed(sim.Account{Login: mail, Email: mail, EmployeeNumber: p.number, FirstName: p.first, LastName: p.last, State: dayone.Active})
		for name, value := range map[string]string{
			"jobTitle": p.title, "department": p.department, "officeLocation": p.office, "country": p.country, "employeeType": p.kind, "employeeHireDate": p.hired + "T00:00:00Z",
		} {
			d.Set(ref, name, value)
		}
	}
	return d
}

// plainName is a name as a mail address has it.
func plainName(s string) string {
	var out []rune
	for _, r := range s {
		if to, ok := map[rune]rune{'í': 'i', 'é': 'e', 'ú': 'u', 'ñ': 'n', ' ': '-'}[r]; ok {
			r = to
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		out = append(out, r)
	}
	return string(out)
}

// directoryConfig makes it a source that is only looked up: its list is not read by itself.
func directoryConfig(settings map[string]string) sourceConfig {
	return sourceConfig{Connector: "entra", ReadAt: readNever, StaleAfter: 90 * 24 * time.Hour, Settings: settings}
}
