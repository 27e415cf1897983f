package policy

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Truth is the three-valued answer of a condition.
type Truth = truth

// What a condition answers. One that cannot be evaluated is Unknown, which is not No.
const (
	Unknown = unknown
	No      = no
	Yes     = yes
)

// Question is a condition that stands outside the policy folder, such as the rule of a pool of numbers. It sees what policies see.
type Question struct {
	set *Set
	e   *expr
}

// Question compiles one. ErrInvalid says what is wrong with it.
func (s *Set) Question(text string) (Question, error) {
	_, prov, err := newEnv(s.Schema)
	if err != nil {
		return Question{}, fmt.Errorf("no expressions can be typed: %v: %w", err, dayone.ErrInvalid)
	}
	f := &file{name: "condition", text: text, lines: linesOf(text)}
	c := &compiler{&reader{}, s.env, prov, s.Schema}
	e := c.condition(place{f: f, n: &yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: 1, Column: 1}}, text)
	for _, d := range c.finish() {
		if d.Severity == Error {
			return Question{}, fmt.Errorf("%s: %w", strings.TrimSuffix(d.Message+"; "+d.Hint, "; "), dayone.ErrInvalid)
		}
	}
	return Question{s, e}, nil
}

// Of is the answer for somebody at an instant.
func (c Question) Of(p *dayone.Person, now time.Time) Truth { return c.e.truth(c.set.worldOf(p, now)) }
