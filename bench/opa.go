package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
)

func regoTest(t company.Test) string {
	attr := "input." + t.Attr
	switch t.Op {
	case company.Is:
		return attr + " == " + quoted(t)
	case company.Not:
		return attr + " != " + quoted(t)
	case company.Begins:
		return "startswith(" + attr + ", " + quoted(t) + ")"
	case company.AtLeast:
		return fmt.Sprintf("%s >= %d", attr, number(t))
	default:
		return fmt.Sprintf("%s <= %d", attr, number(t))
	}
}

// spread makes a group per value of "is one of": OPA's rule index knows equality only.
func spread(g []company.Test) [][]company.Test {
	out := [][]company.Test{nil}
	for _, t := range g {
		values := [][]dayone.Value{t.Values}
		if t.Op == company.In {
			t.Op, values = company.Is, slices.Collect(slices.Chunk(t.Values, 1))
		}
		var longer [][]company.Test
		for _, g := range out {
			for _, v := range values {
				longer = append(longer, append(slices.Clone(g), company.Test{Attr: t.Attr, Op: t.Op, Values: v}))
			}
		}
		out = longer
	}
	return out
}

// opaEngine asks for a set that has rules per group of tests. The query is prepared, people are parsed, and the answer is
// read as it stands, without the way through JSON.
func opaEngine(c *Crowd, asked []company.Asked) (Scan, error) {
	var module strings.Builder
	module.WriteString("package peers\n")
	for i, a := range asked {
		for _, g := range a {
			for _, g := range spread(g) {
				var tests []string
				for _, t := range g {
					tests = append(tests, regoTest(t))
				}
				fmt.Fprintf(&module, "hold contains %d if { %s }\n", i, strings.Join(tests, "; "))
			}
		}
	}
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.peers.hold"), rego.Module("peers.rego", module.String())).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("opa: %w", err)
	}
	var words [len(texts)][]*ast.Term
	for i := range words {
		for _, w := range c.Words[i] {
			words[i] = append(words[i], ast.StringTerm(w))
		}
	}
	people := make([]ast.Value, len(c.People))
	for row := range c.People {
		p := &c.People[row]
		of := ast.NewObject(
			[2]*ast.Term{ast.StringTerm("level"), ast.IntNumberTerm(int(p.Level))},
			[2]*ast.Term{ast.StringTerm("start_date"), ast.IntNumberTerm(int(p.Start))},
		)
		for i, name := range texts {
			of.Insert(ast.StringTerm(name), words[i][p.Code[i]])
		}
		people[row] = of
	}
	asIs := rego.EvalGenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil })
	return byPerson(func(row int, hold []int32) []int32 {
		found, err := query.Eval(ctx, rego.EvalParsedInput(people[row]), rego.EvalSortSets(false), asIs)
		if err != nil {
			panic(err)
		}
		found[0].Expressions[0].Value.(ast.Set).Foreach(func(t *ast.Term) {
			n, _ := t.Value.(ast.Number).Int()
			hold = append(hold, int32(n))
		})
		return hold
	}), nil
}
