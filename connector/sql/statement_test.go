package sql

import (
	"slices"
	"strings"
	"testing"
)

// Parameters are found where they are parameters, and each driver gets its own way of writing them.
func TestParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ driver, in, out, names string }{
		{postgres, "SELECT * FROM t WHERE a = :id AND b = :id::text", "SELECT * FROM t WHERE a = $1 AND b = $2::text", "id id"},
		{postgres, "SELECT ':no', \":no\", $$:no$$, $x$ :no $$ $x$, E'\\':no' -- :no\n/* :no /* :no */ :no */ FROM t WHERE a = :id ;\n", "SELECT ':no', \":no\", $$:no$$, $x$ :no $$ $x$, E'\\':no' -- :no\n/* :no /* :no */ :no */ FROM t WHERE a = $1", "id"},
		{postgres, "SELECT a[1:2], j ? 'k' FROM t WHERE note = 'it''s :no' AND x = :größe", "SELECT a[1:2], j ? 'k' FROM t WHERE note = 'it''s :no' AND x = $1", "größe"},
		{postgres, `SELECT name'\' FROM t WHERE a=:id`, `SELECT name'\' FROM t WHERE a=$1`, "id"},
		{mysql, "SELECT `:no`, '\\':no', \":no\\\"\" # :no\nFROM t WHERE a = :id AND @x := :value", "SELECT `:no`, '\\':no', \":no\\\"\" # :no\nFROM t WHERE a = ? AND @x := ?", "id value"},
		{mysql, "UPDATE t SET a = :first_name, b = :last_name WHERE id=:id", "UPDATE t SET a = ?, b = ? WHERE id=?", "first_name last_name id"},
		{sqlite, "SELECT [:no], `:no` FROM t WHERE a = :id /* :no */", "SELECT [:no], `:no` FROM t WHERE a = ? /* :no */", "id"},
	} {
		s := statement{SQL: c.in}
		if err := s.compile(c.driver, true); err != nil {
			t.Errorf("%s: %s: %v", c.driver, c.in, err)
			continue
		}
		if s.text != c.out || !slices.Equal(s.names, strings.Fields(c.names)) {
			t.Errorf("%s: %s\nis %s with %v\nnot %s", c.driver, c.in, s.text, s.names, c.out)
		}
	}
}

func TestStatementsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		driver, in string
		writes     bool
		says       string
	}{
		{postgres, "", false, "empty"},
		{postgres, " -- only\n", false, "empty"},
		{postgres, "DELETE FROM t WHERE id = :id", false, "begins with DELETE"},
		{postgres, "DROP TABLE t", true, "begins with DROP"},
		{postgres, "DELETE FROM t", true, "no parameter"},
		{postgres, "SELECT 1; SELECT 2", false, "more than one statement"},
		{postgres, "SELECT 1; 'x'", false, "more than one statement"},
		{postgres, "SELECT $1", false, "without a name"},
		{mysql, "SELECT ?", false, "without a name"},
		{sqlite, "SELECT @x", false, "without a name"},
		{sqlite, "SELECT $x", false, "without a name"},
		{postgres, "SELECT 'x", false, "has no end"},
		{postgres, "SELECT /* /* */", false, "has no end"},
		{postgres, "SELECT $a$ x $b$", false, "has no end"},
	} {
		s := statement{SQL: c.in}
		if err := s.compile(c.driver, c.writes); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q says %v, not %q", c.driver, c.in, err, c.says)
		}
	}
	if s := (&statement{SQL: "UPDATE t SET a = 1 WHERE id = :id", Rows: "all"}); s.compile(sqlite, true) == nil {
		t.Error("rows: all is taken")
	}
}
