package sheet_test

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf16"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sheet"
)

func wide(text string) []byte {
	out := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// People export lists in whatever way their program has.
func TestListsComeInManyWays(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"commas":      []byte("id,User Name\n1,Zoë\n"),
		"semicolons":  []byte("id;User Name\r\n1;Zoë\r\n"),
		"tabs":        []byte("id\tUSER_NAME\n1\tZoë\n"),
		"bars":        []byte("id|user-name\n1|Zoë\n"),
		"a mark":      []byte("\xEF\xBB\xBFid,user name\n1,Zoë\n"),
		"UTF-16":      wide("id\tuser name\r\n1\tZoë\r\n"),
		"quotes":      []byte("\"id\",\"user name\"\n\"1\",\"Zoë\""),
		"empty lines": []byte("id,user name\n\n1,Zoë\n,\n"),
	} {
		s, err := sheet.Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := sheet.Layout{Attrs: []string{"login"}, Columns: map[string]string{"login": "User name"}}.Roster(s)
		if err != nil || len(r.Accounts) != 1 || r.Of("1") == nil || r.Of("1").Item.Attrs.Text("login") != "Zoë" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// Whoever copies the example of the page has a list that is read, with both roles.
func TestTheExampleOfThePageIsRead(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/lists.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```csv\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	s, err := sheet.Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	r, err := sheet.Layout{Attrs: []string{"email", "employee_number"}, Columns: map[string]string{"state": "Status"}, Kinds: []string{"role"}}.Roster(s)
	if err != nil || len(r.Accounts) != 1 {
		t.Fatalf("it is %+v, %v", r, err)
	}
	a := r.Accounts[0]
	if held := a.Held["role"]; len(held) != 2 || held[0].Key.Name != "clerk" || held[1].Key.Name != "approver" || a.Item.State != dayone.Active {
		t.Errorf("it reads as %+v", a)
	}
}

// What is wrong is said with its place, all of it at once, and without a word of who stands there.
func TestFaultsHaveAPlace(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                 "line 1: the list is empty",
		"id,id\n":                          `line 1, column "id": there are two`,
		"id,\n":                            "line 1: column 2 has no name",
		"name\nAda\n":                      "line 1: it has no column with the id",
		"id,a\n1,2,3\n4\n":                 "line 2: it has 3 fields, and the head has 2; line 3: it has 1 fields",
		"id,a\n\"x\ny\",1\n2\n":            "line 4: it has 1 fields",
		"id,a\n1,\"b\n":                    "put a text with quotes into quotes",
		"id,a\n1,b\xff\n":                  "line 2: it is not UTF-8",
		"id,state\nsecret@x,wild\nb,off\n": `line 2, column "state": this is no state; write active or disabled; line 3`,
		"id,a\n,secret@x\n":                `line 2, column "id": the account has no id`,
	} {
		s, err := sheet.Parse([]byte(raw))
		if err == nil {
			_, err = sheet.Layout{Attrs: []string{"a"}}.Roster(s)
		}
		if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@x") {
			t.Errorf("%q says %v, want %q", raw, err, want)
		}
	}
}

// Whatever stands in a cell stands there after somebody has written beside it, and nothing that begins as a formula does.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	t.Parallel()
	if err := quick.Check(func(foreign, own string) bool {
		foreign = strings.ReplaceAll(strings.ToValidUTF8(foreign, ""), "\r", "")
		own = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(own, ""), "\r", ""))
		s, err := sheet.Parse([]byte("id;other;a\n1;;\n"))
		if err != nil {
			t.Fatal(err)
		}
		s.Rows[0][1] = foreign
		r, err := sheet.Layout{Attrs: []string{"a"}}.Roster(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Set(0, map[string]string{"a": sheet.Guarded(own)}); err != nil {
			t.Fatal(err)
		}
		raw, err := s.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := sheet.Parse(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		back, err := sheet.Layout{Attrs: []string{"a"}}.Roster(again)
		if err != nil {
			t.Fatal(err)
		}
		cell := again.Rows[0][2]
		return again.Rows[0][1] == foreign && back.Of("1").Item.Attrs.Text("a") == own && (cell == "" || cell[0] != '=' && cell[0] != '@')
	}, nil); err != nil {
		t.Error(err)
	}
	for _, v := range []string{"=1", "+cmd|x", "@SUM(A1)", "-2+3+cmd", "'=x", "''=x", "'", "=", "+", "+49 30 123", "-5", "O'Neil"} {
		g := sheet.Guarded(v)
		s, _ := sheet.Parse([]byte("id,a\n1,\n"))
		s.Rows[0][1] = g
		r, _ := sheet.Layout{Attrs: []string{"a"}}.Roster(s)
		if got := r.Of("1").Item.Attrs.Text("a"); got != v {
			t.Errorf("%q is written %q and reads back as %q", v, g, got)
		}
	}
}

func TestCellsHoldRoles(t *testing.T) {
	t.Parallel()
	items := []dayone.Item{{Key: dayone.Key{Name: "a=b"}}, {Key: dayone.Key{Name: "c"}, Role: "owner"}, {Key: dayone.Key{Name: "d"}}}
	text, err := sheet.Cell(items)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := sheet.Parse([]byte("id,zone\n1,\"" + text + "\"\n"))
	r, err := sheet.Layout{Kinds: []string{"zone"}}.Roster(s)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range r.Of("1").Held["zone"] {
		if it.Key.Name != items[i].Key.Name || it.Role != items[i].Role {
			t.Errorf("%q reads back as %+v", text, it)
		}
	}
	for _, it := range []dayone.Item{{Key: dayone.Key{Name: "a;b"}}, {Key: dayone.Key{Name: "a"}, Role: "x=y"}} {
		if _, err := sheet.Cell([]dayone.Item{it}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%+v is written without a word: %v", it, err)
		}
	}
}
