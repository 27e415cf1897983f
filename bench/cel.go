package bench

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/dayone-hq/dayone/internal/company"
)

// celTest is company.Test.CEL with variables instead of fields of a person, and days as numbers: both are faster.
func celTest(t company.Test) string {
	switch t.Op {
	case company.Is:
		return t.Attr + " == " + quoted(t)
	case company.Not:
		return t.Attr + " != " + quoted(t)
	case company.In:
		return t.Attr + " in [" + quoted(t) + "]"
	case company.Begins:
		return t.Attr + ".startsWith(" + quoted(t) + ")"
	case company.AtLeast:
		return fmt.Sprintf("%s >= %d", t.Attr, number(t))
	default:
		return fmt.Sprintf("%s <= %d", t.Attr, number(t))
	}
}

// celVars are a person's values, in boxes that are made once per word.
type celVars struct {
	text  [len(texts)]ref.Val
	level ref.Val
	start ref.Val
}

// celPerson is whom the programs look at now. It is an Activation: names become values by one switch.
type celPerson struct{ *celVars }

func (p *celPerson) ResolveName(name string) (any, bool) {
	switch name {
	case "job_title":
		return p.text[0], true
	case "team":
		return p.text[1], true
	case "cost_center":
		return p.text[2], true
	case "department":
		return p.text[3], true
	case "country":
		return p.text[4], true
	case "employment_type":
		return p.text[5], true
	case "location":
		return p.text[6], true
	case "level":
		return p.level, true
	case "start_date":
		return p.start, true
	}
	return nil, false
}

func (p *celPerson) Parent() cel.Activation { return nil }

type celEngine struct {
	programs []cel.Program
	people   []celVars
	at       celPerson
	frame    *interpreter.ExecutionFrame // over at; Eval would make one for each question
}

func newCEL(c *Crowd, asked []company.Asked) (*celEngine, error) {
	opts := []cel.EnvOption{cel.Variable("level", cel.IntType), cel.Variable("start_date", cel.IntType)}
	for _, name := range texts {
		opts = append(opts, cel.Variable(name, cel.StringType))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, err
	}
	e := &celEngine{people: make([]celVars, len(c.People))}
	if e.frame, err = interpreter.NewExecutionFrame(&e.at); err != nil {
		return nil, err
	}
	for _, a := range asked {
		ast, issues := env.Compile(written(a, celTest))
		if err := issues.Err(); err != nil {
			return nil, err
		}
		program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return nil, err
		}
		e.programs = append(e.programs, program)
	}
	var boxes [len(texts)][]ref.Val
	for i, words := range c.Words {
		for _, w := range words {
			boxes[i] = append(boxes[i], types.String(w))
		}
	}
	for row := range c.People {
		p, to := &c.People[row], &e.people[row]
		for i := range boxes {
			to.text[i] = boxes[i][p.Code[i]]
		}
		to.level, to.start = types.Int(p.Level), types.Int(p.Start)
	}
	return e, nil
}

func (e *celEngine) holds(program cel.Program) bool {
	yes, _, _ := program.Eval(e.frame)
	return yes == types.True
}

func (e *celEngine) person(row int, hold []int32) []int32 {
	e.at.celVars = &e.people[row]
	for i, p := range e.programs {
		if e.holds(p) {
			hold = append(hold, int32(i))
		}
	}
	return hold
}

func (e *celEngine) policy(n int32, row int, hold [][]int32) {
	program := e.programs[n]
	for i := range hold {
		e.at.celVars = &e.people[row+i]
		if e.holds(program) {
			hold[i] = append(hold[i], n)
		}
	}
}
