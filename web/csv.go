package web

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Every list is a table, too: with its own filters, for whoever may see it, as far as it goes and not page by page. What has
// pages is written as it is read, so that its length costs no memory; what has none is read whole. Either way it is whole, or an
// error: a table that was cut would look like all there is.

// sheet is a list as a table.
type sheet struct {
	Name string // of the file
	Head []string
	Rows iter.Seq2[[]string, error]
}

// column is one of a table of things.
type column[T any] struct {
	Head string
	Of   func(T) string
}

func sheetOf[T any](name string, rows iter.Seq2[T, error], columns ...column[T]) sheet {
	s := sheet{Name: name}
	for _, c := range columns {
		s.Head = append(s.Head, c.Head)
	}
	s.Rows = func(yield func([]string, error) bool) {
		for x, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			line := make([]string, len(columns))
			for i, c := range columns {
				line[i] = c.Of(x)
			}
			if !yield(line, nil) {
				return
			}
		}
	}
	return s
}

// sheetPage is how many rows are read at once.
const sheetPage = 500

// paged reads page after page, each after the last row of the one before; nil: the first. An empty one is the end.
func paged[T any](read func(after *T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var after *T
		for {
			list, err := read(after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, x := range list {
				if !yield(x, nil) {
					return
				}
			}
			if len(list) == 0 {
				return
			}
			after = &list[len(list)-1]
		}
	}
}

// whole is a list that is at hand.
func whole[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, x := range list {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// wholeUpTo is a list that has no pages and was read with a limit of most+1: it fails if there is more than most.
func wholeUpTo[T any](list []T, most int) (iter.Seq2[T, error], error) {
	if len(list) > most {
		return nil, refuse(dayone.ErrInvalid, fmt.Sprintf(textTableTooLong, thousands(most)))
	}
	return whole(list), nil
}

// wantsCSV says that an address is asked for as a table.
func wantsCSV(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	if format := r.URL.Query().Get("format"); format != "" {
		return format == "csv"
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/csv") && !strings.Contains(accept, "text/html") && !strings.Contains(accept, "application/json")
}

// tabled answers with the table of an address, if that is what is asked for and there is one. What it shows is what the page
// shows: it is asked once whoever it is was let in there.
func (p *portal) tabled(w http.ResponseWriter, r *http.Request) (bool, error) {
	table, ok := sheets[r.Pattern]
	if !ok || !wantsCSV(r) {
		return false, nil
	}
	zone, err := p.sheetZone(r)
	if err != nil {
		return true, err
	}
	s, err := table(p, r, zone)
	if err != nil {
		return true, err
	}
	return true, p.writeCSV(w, r, s)
}

// sheetZone is the zone in which times are written: the viewer's, or the one that the address names.
func (p *portal) sheetZone(r *http.Request) (*time.Location, error) {
	name := r.URL.Query().Get("zone")
	if name == "" || name == "Local" {
		return p.viewerOf(r).zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || len(name) > 64 {
		return nil, refuse(dayone.ErrInvalid, textNoZone)
	}
	return zone, nil
}

// sheetFor is how long the next rows may take to leave. A reader that takes none for so long is gone.
const sheetFor = time.Minute

func (p *portal) writeCSV(w http.ResponseWriter, r *http.Request, s sheet) error {
	next, stop := iter.Pull2(s.Rows)
	defer stop()
	line, err, more := next() // before the first byte leaves, an error is still an error
	if more && err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="dayone-`+s.Name+`-`+p.now().UTC().Format(time.DateOnly)+`.csv"`)
	h.Set("Vary", "Accept, Cookie")
	if bom := r.URL.Query().Get("bom"); bom == "yes" || bom == "true" || bom == "1" {
		_, _ = io.WriteString(w, "\ufeff")
	}
	control := http.NewResponseController(w)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(s.Head)
	for n := 1; more; n++ {
		if err != nil { // a file that breaks off must not look whole
			p.log.Error("a list broke off", "list", s.Name, "rows", n, "error", err)
			panic(http.ErrAbortHandler)
		}
		for i := range line {
			line[i] = Harmless(line[i])
		}
		if err := out.Write(line); err != nil {
			break // whoever asked has gone
		}
		if n%sheetPage == 0 {
			_ = control.SetWriteDeadline(time.Now().Add(sheetFor))
			out.Flush()
			_ = control.Flush()
		}
		line, err, more = next()
	}
	out.Flush()
	return nil
}

// Harmless keeps a spreadsheet from reading a value as a formula: what somebody is called must not calculate. A telephone number,
// a plus with nothing but digits, stays as it is, so that a table of numbers can be read in again.
// https://owasp.org/www-community/attacks/CSV_Injection
func Harmless(s string) string {
	if len(s) > 1 && s[0] == '+' && strings.Trim(s[1:], "0123456789") == "" {
		return s
	}
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// inZone writes instants of a table, and says in its head in which zone.
type inZone struct{ *time.Location }

func (z inZone) head(text string) string { return fmt.Sprintf("%s (%s)", text, z.String()) }

func (z inZone) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(z.Location).Format("2006-01-02 15:04:05")
}

// dayIn is a calendar day where somebody is.
func dayIn(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.DateOnly)
}

// export is where the list of a page is as a table.
type export struct{ Text, Href, Excel string }

// exportOf is that of the page that is shown; nil: it is no list.
func (p *portal) exportOf(r *http.Request) *export {
	if _, ok := sheets[r.Pattern]; !ok || r.Method != http.MethodGet {
		return nil
	}
	q := url.Values{"format": {"csv"}}
	for name, values := range r.URL.Query() {
		switch name {
		case "said", "undo", "after", "name", "before", "format", "bom", "live":
		default:
			q[name] = values
		}
	}
	plain := address(r.URL.Path, q)
	q.Set("bom", "yes")
	text := "This list as a table"
	if r.Pattern == "GET /people/{id}" {
		text = "Their requests as a table"
	}
	return &export{Text: text, Href: plain, Excel: address(r.URL.Path, q)}
}
