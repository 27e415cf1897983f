package sql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone/connector/defined"
)

// statement is one SQL text of a definition. Its parameters are written :name, and values only ever go there: a text is
// never put together.
type statement struct {
	SQL  string `yaml:"sql"`
	Rows string `yaml:"rows"` // how many it changes: one, or any

	text      string   // as the database takes it
	names     []string // of the parameters, in order
	verb      string   // the first word
	returning bool
}

func (s *statement) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&s.SQL)
	}
	type plain statement
	return defined.Decode(n, (*plain)(s))
}

// statements are one or several. What changes something happens in one transaction: all of it, or nothing.
type statements []*statement

func (ss *statements) UnmarshalYAML(n *yaml.Node) error {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, x := range list {
		s := &statement{}
		if err := s.UnmarshalYAML(x); err != nil {
			return err
		}
		*ss = append(*ss, s)
	}
	return nil
}

var (
	reads  = []string{"SELECT", "WITH"}
	writes = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CALL", "SELECT", "WITH"}
)

// compile makes a statement ready for a driver.
func (s *statement) compile(driver string, writing bool) error {
	l := lexer{driver: driver, in: s.SQL}
	if err := l.run(); err != nil {
		return err
	}
	s.text, s.names, s.verb, s.returning = strings.TrimSpace(l.out.String()), l.names, l.verb, l.returning
	may := reads
	if writing {
		may = writes
	}
	switch {
	case s.verb == "":
		return fmt.Errorf("it is empty")
	case !slices.Contains(may, s.verb):
		return fmt.Errorf("it begins with %s; it can be %s", s.verb, strings.Join(may, ", "))
	case writing && len(s.names) == 0:
		return fmt.Errorf("it names no parameter such as :id, so it would be about everybody")
	case s.Rows != "" && s.Rows != "one" && s.Rows != "any":
		return fmt.Errorf("rows is %q; it can be one or any", s.Rows)
	}
	return nil
}

// lexer finds parameters where they are parameters: not in literals, names or comments, nor in casts.
type lexer struct {
	driver, in string
	at         int
	out        strings.Builder
	names      []string
	verb       string
	returning  bool
	ended      bool
}

func (l *lexer) run() error {
	for l.at < len(l.in) {
		n, err := l.skip()
		if err != nil {
			return err
		}
		if n > 0 && (!l.ended || strings.ContainsRune("-/#", rune(l.in[l.at]))) { // a literal, a name or a comment
			l.keep(n)
			continue
		}
		rest := l.in[l.at:]
		c, size := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(c):
		case l.ended:
			return fmt.Errorf("it is more than one statement; write a list of them")
		case c == ';':
			l.ended = true
			l.at++
			continue
		case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="):
			size = 2
		case c == ':' && named(rest[1:]):
			name := word(rest[1:])
			l.names = append(l.names, name)
			l.out.WriteString(l.place())
			l.at += 1 + len(name)
			continue
		case l.foreign(rest):
			return fmt.Errorf("%q is a parameter without a name; write :id", rest[:min(2, len(rest))])
		case unicode.IsLetter(c) || c == '_':
			w := word(rest)
			size = len(w)
			if l.verb == "" {
				l.verb = strings.ToUpper(w)
			}
			l.returning = l.returning || strings.EqualFold(w, "returning")
		case unicode.IsDigit(c):
			size = len(word(rest))
		}
		l.keep(size)
	}
	return nil
}

func (l *lexer) keep(n int) {
	l.out.WriteString(l.in[l.at : l.at+n])
	l.at += n
}

// place is how the driver writes the parameter that was just found. Each has a number of its own, since a database takes its
// type from where it stands.
func (l *lexer) place() string {
	if l.driver == postgres {
		return "$" + strconv.Itoa(len(l.names))
	}
	return "?"
}

// foreign says whether a driver would read a parameter of its own kind.
func (l *lexer) foreign(rest string) bool {
	digit := len(rest) > 1 && unicode.IsDigit(rune(rest[1]))
	switch l.driver {
	case postgres: // ? is an operator there
		return rest[0] == '$' && digit
	case mysql: // @ is a variable
		return rest[0] == '?'
	}
	return rest[0] == '?' || rest[0] == '@' || rest[0] == '$'
}

// named says whether a name stands there, and not a number as in a slice of an array.
func named(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return c == '_' || unicode.IsLetter(c)
}

// word is the name at the beginning of a text.
func word(s string) string {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return s[:i]
		}
	}
	return s
}

// skip is the length of the literal, quoted name or comment that begins here; 0: none does.
func (l *lexer) skip() (int, error) {
	rest := l.in[l.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "--"), c == '#' && l.driver == mysql:
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			return i + 1, nil
		}
		return len(rest), nil
	case strings.HasPrefix(rest, "/*"):
		return l.comment(rest)
	case c == '\'':
		return quoted(rest, '\'', l.driver == mysql || l.escapes())
	case c == '"':
		return quoted(rest, '"', l.driver == mysql)
	case c == '`' && l.driver != postgres:
		return quoted(rest, '`', false)
	case c == '[' && l.driver == sqlite:
		return quoted(rest, ']', false)
	case c == '$' && l.driver == postgres:
		tag := "$" + word(rest[1:]) + "$"
		if !strings.HasPrefix(rest, tag) {
			return 0, nil
		}
		end := strings.Index(rest[len(tag):], tag)
		if end < 0 {
			return 0, fmt.Errorf("%s has no end", tag)
		}
		return end + 2*len(tag), nil
	}
	return 0, nil
}

// escapes says that the literal is one of PostgreSQL's E'...', in which \ has a meaning.
func (l *lexer) escapes() bool {
	before := l.in[:l.at]
	if l.driver != postgres || !strings.HasSuffix(strings.ToUpper(before), "E") {
		return false
	}
	c, _ := utf8.DecodeLastRuneInString(before[:len(before)-1])
	return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
}

// comment is the length of one; they lie in each other at PostgreSQL only.
func (l *lexer) comment(s string) (int, error) {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch {
		case s[i:i+2] == "/*" && (depth == 0 || l.driver == postgres):
			depth++
			i++
		case s[i:i+2] == "*/":
			depth--
			i++
		}
		if depth == 0 {
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("a comment has no end")
}

// quoted is the length of what stands in quotes; doubled ones stand for one.
func quoted(s string, end byte, escapes bool) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] != end:
		case i+1 < len(s) && s[i+1] == end:
			i++
		default:
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("%c has no end", s[0])
}
