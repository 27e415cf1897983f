package bench

import (
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone/internal/company"
)

// written is a condition in a language that joins tests as C does.
func written(asked company.Asked, test func(company.Test) string) string {
	var groups []string
	for _, g := range asked {
		var tests []string
		for _, t := range g {
			tests = append(tests, test(t))
		}
		groups = append(groups, "("+strings.Join(tests, " && ")+")")
	}
	return strings.Join(groups, " || ")
}

// number is the test's constant where the attribute is one.
func number(t company.Test) int64 {
	if t.Op == company.Until {
		return dayOf(t.Values[0])
	}
	n, _ := t.Values[0].Int()
	return n
}

func quoted(t company.Test) string {
	var out []string
	for _, v := range t.Values {
		out = append(out, fmt.Sprintf("%q", v.Text))
	}
	return strings.Join(out, ", ")
}
