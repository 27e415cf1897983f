package sim

import (
	"errors"
	"regexp"
	"strings"
)

var lexeme = regexp.MustCompile(`'(?:[^']|'')*'|[()]|[^\s()']+`)

var errFilter = errors.New("invalid filter clause")

// filter reads the part of OData that Graph lets users be filtered by: eq, ne, and, or and brackets.
func filter(text string) (func(*user) bool, error) {
	p := &parser{words: lexeme.FindAllString(text, -1)}
	match, err := p.any()
	if err == nil && len(p.words) > 0 {
		err = errFilter
	}
	return match, err
}

type parser struct{ words []string }

func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

func (p *parser) any() (func(*user) bool, error) {
	left, err := p.all()
	for err == nil && len(p.words) > 0 && p.words[0] == "or" {
		p.next()
		var right func(*user) bool
		was := left
		right, err = p.all()
		left = func(u *user) bool { return was(u) || right(u) }
	}
	return left, err
}

func (p *parser) all() (func(*user) bool, error) {
	left, err := p.one()
	for err == nil && len(p.words) > 0 && p.words[0] == "and" {
		p.next()
		var right func(*user) bool
		was := left
		right, err = p.one()
		left = func(u *user) bool { return was(u) && right(u) }
	}
	return left, err
}

func (p *parser) one() (func(*user) bool, error) {
	name := p.next()
	if name == "(" {
		inner, err := p.any()
		if err == nil && p.next() != ")" {
			err = errFilter
		}
		return inner, err
	}
	op, value := p.next(), p.next()
	if op != "eq" && op != "ne" || value == "" || strings.ContainsAny(name, "'()") {
		return nil, errFilter
	}
	return func(u *user) bool {
		is := u.props[name]
		if name == "id" {
			is = u.id
		}
		same := false
		switch {
		case value == "null":
			same = is == nil
		case value == "true" || value == "false":
			same = is == (value == "true")
		case strings.HasPrefix(value, "'"):
			text, isText := is.(string)
			same = isText && strings.EqualFold(text, strings.ReplaceAll(value[1:len(value)-1], "''", "'"))
		}
		return same == (op == "eq")
	}, nil
}
