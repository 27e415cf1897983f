package bench

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/dayone-hq/dayone/internal/company"
)

func exprTest(t company.Test) string {
	switch t.Op {
	case company.Begins:
		return t.Attr + " startsWith " + quoted(t)
	default:
		return celTest(t)
	}
}

// exprEngine gives people as maps: reading a field of a struct makes a box for each value.
type exprEngine struct {
	programs []*vm.Program
	people   []any
	machine  vm.VM
}

func newExpr(c *Crowd, asked []company.Asked) (*exprEngine, error) {
	env := func(p *Person) map[string]any {
		out := map[string]any{"level": int(p.Level), "start_date": int(p.Start)}
		for i, name := range texts {
			out[name] = p.Text[i]
		}
		return out
	}
	e := &exprEngine{}
	for i := range c.People {
		e.people = append(e.people, env(&c.People[i]))
	}
	for _, a := range asked {
		program, err := expr.Compile(written(a, exprTest), expr.Env(env(&Person{})), expr.AsBool())
		if err != nil {
			return nil, fmt.Errorf("expr: %w", err)
		}
		e.programs = append(e.programs, program)
	}
	return e, nil
}

func (e *exprEngine) holds(program *vm.Program, p any) bool {
	yes, err := e.machine.Run(program, p)
	return err == nil && yes == true
}

func (e *exprEngine) person(row int, hold []int32) []int32 {
	for i, p := range e.programs {
		if e.holds(p, e.people[row]) {
			hold = append(hold, int32(i))
		}
	}
	return hold
}

func (e *exprEngine) policy(n int32, row int, hold [][]int32) {
	for i := range hold {
		if e.holds(e.programs[n], e.people[row+i]) {
			hold[i] = append(hold[i], n)
		}
	}
}
