// Package webhook takes events from any HR system that signs its webhooks, and reads records again where that system has
// a REST interface. It only reads.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes HR sources.
var Factory = connector.Factory{Manifest: manifest, New: New}

// source is a connector without accounts, and a Source.
type source struct {
	*connector.Target
	api    *client
	set    map[string]string
	keys   [][]byte
	digest func() hash.Hash
	window time.Duration
	types  map[string]dayone.EventType
	fields map[string]bool
}

var _ connector.Source = (*source)(nil)

// New makes one HR system a source.
func New(cfg connector.Config) (connector.Connector, error) {
	c := &client{httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify,
	}}
	if t := cfg.Secrets["token"]; !t.IsZero() {
		c.Auth = httpc.Bearer("Bearer", t)
	}
	s := &source{api: c, set: cfg.Settings, digest: sha256.New, types: map[string]dayone.EventType{}, fields: map[string]bool{}}
	s.Target = &connector.Target{System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: s.ping}
	if s.set["algorithm"] == "sha512" {
		s.digest = sha512.New
	}
	for _, name := range []string{"secret", "secret_2"} {
		if k := cfg.Secrets[name]; !k.IsZero() {
			s.keys = append(s.keys, []byte(k.Reveal()))
		}
	}
	var err error
	if s.window, err = time.ParseDuration(s.set["timestamp_window"]); err != nil || s.window <= 0 {
		return nil, fmt.Errorf("timestamp_window is %q; write 5m or 30s: %w", s.set["timestamp_window"], dayone.ErrInvalid)
	}
	if s.set["signed"] != "body" && s.set["timestamp_header"] == "" {
		return nil, fmt.Errorf("signed is %s, but no timestamp_header says where the time stands: %w", s.set["signed"], dayone.ErrInvalid)
	}
	for _, pair := range items(s.set["types"]) {
		theirs, ours, ok := strings.Cut(pair, "=")
		t := dayone.EventType(strings.TrimSpace(ours))
		if !ok || !slices.Contains(dayone.EventTypes, t) && !slices.Contains(dayone.OfferTypes, t) {
			return nil, fmt.Errorf("types has %q; write employee.hired=hired, with one of %s after it: %w", pair, known(), dayone.ErrInvalid)
		}
		s.types[strings.TrimSpace(theirs)] = t
	}
	for _, name := range items(s.set["fields"]) {
		s.fields[name] = true
	}
	return s, nil
}

// items of a list setting stand apart by commas or line ends.
func items(list string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '\n' }) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (s *source) fault(op string, kind error, detail string) error {
	return s.api.Fault(op, kind, "", detail)
}

func known() string {
	var out []string
	for _, t := range slices.Concat(dayone.EventTypes, dayone.OfferTypes) {
		out = append(out, string(t))
	}
	return strings.Join(out, ", ")
}

func (s *source) ping(ctx context.Context) error {
	if s.set["url"] == "" {
		return nil // nothing to be let in to
	}
	_, err := s.api.listEmployees(ctx, 1)
	return err
}

// Verify checks signature and time. Each secret is tried, in a time that does not tell which one fits.
func (s *source) Verify(header http.Header, body []byte, now time.Time) error {
	bad := func(detail string) error { return s.fault("verifying webhook", dayone.ErrAuth, detail) }
	given := strings.TrimPrefix(strings.TrimSpace(header.Get(s.set["header"])), s.set["prefix"])
	if given == "" {
		hint := ""
		for _, name := range slices.Sorted(maps.Keys(header)) {
			if len(name) < 64 && strings.Contains(strings.ToLower(name), "signature") && !strings.EqualFold(name, s.set["header"]) {
				hint = "; set header: " + name
			}
		}
		return bad("there is no signature in " + s.set["header"] + hint)
	}
	sum, err := decodings[s.set["encoding"]](given)
	if err != nil {
		return bad("the signature is no " + s.set["encoding"] + s.writtenAs(given))
	}
	if len(sum) != s.digest().Size() {
		return bad(fmt.Sprintf("the signature has %d bytes, and %s makes %d; see the setting algorithm", len(sum), s.set["algorithm"], s.digest().Size()))
	}
	stamp := ""
	if name := s.set["timestamp_header"]; name != "" {
		stamp = header.Get(name)
		at, ok := instant(stamp)
		if !ok {
			return bad("there is no time in " + name)
		}
		if now.Sub(at).Abs() > s.window {
			return bad(fmt.Sprintf("it was sent at %s, more than %s from now", at.UTC().Format(time.RFC3339), s.window))
		}
	}
	fits := false
	for _, key := range s.keys {
		mac := hmac.New(s.digest, key)
		switch s.set["signed"] {
		case "timestamp.body":
			mac.Write([]byte(stamp + "."))
			mac.Write(body)
		case "body+timestamp":
			mac.Write(body)
			mac.Write([]byte(stamp))
		default:
			mac.Write(body)
		}
		fits = hmac.Equal(mac.Sum(nil), sum) || fits
	}
	if !fits {
		return bad("the signature does not fit")
	}
	return nil
}

var decodings = map[string]func(string) ([]byte, error){"hex": hex.DecodeString, "base64": base64.StdEncoding.DecodeString}

// writtenAs finds how a signature is written that is not written as configured, and names the setting. It says nothing of
// the signature itself.
func (s *source) writtenAs(given string) string {
	prefixes := []string{""}
	if head, _, ok := strings.Cut(given, "="); ok && len(head) < 16 {
		prefixes = append(prefixes, head+"=")
	}
	for _, prefix := range prefixes {
		for _, encoding := range []string{"hex", "base64"} {
			sum, err := decodings[encoding](strings.TrimPrefix(given, prefix))
			if err != nil || len(sum) != s.digest().Size() {
				continue
			}
			var set []string
			if prefix != "" {
				set = append(set, fmt.Sprintf("prefix: %q", s.set["prefix"]+prefix))
			}
			if encoding != s.set["encoding"] {
				set = append(set, "encoding: "+encoding)
			}
			return "; set " + strings.Join(set, " and ")
		}
	}
	return ""
}

// Parse reads one event, or a list of them. One that cannot be used is there as far as it can be identified, but has no
// type; the error says why.
func (s *source) Parse(body []byte) ([]dayone.Event, error) {
	v, err := decode(body)
	if err != nil {
		return nil, s.fault("reading webhook", dayone.ErrInvalid, err.Error())
	}
	all, isList := v.([]any)
	if !isList {
		all = []any{v}
	}
	if len(all) == 0 {
		return nil, s.fault("reading webhook", dayone.ErrInvalid, "there is no event in it")
	}
	var events []dayone.Event
	var errs []error
	for _, v := range all {
		e, err := s.event(v)
		if err != nil {
			errs = append(errs, s.fault("reading webhook", dayone.ErrInvalid, err.Error()))
		}
		events = append(events, e)
	}
	return events, errors.Join(errs...)
}

func (s *source) event(v any) (dayone.Event, error) {
	e := dayone.Event{Source: s.System, Full: s.set["body"] == "full"}
	if _, ok := v.(map[string]any); !ok {
		return e, errors.New("a webhook is a JSON object")
	}
	e.SourceID, _ = word(at(v, s.set["id_path"]))
	e.Subject, _ = word(at(v, s.set["subject_path"]))
	when, _ := word(at(v, s.set["time_path"]))
	var said bool
	if e.At, said = instant(when); said && e.At.IsZero() { // the first instant of all is a time, and none that can be: who judges says so
		e.At = e.At.Add(time.Microsecond)
	} // without a time it counts from when it came: nothing is lost for a bad one
	there := at(v, s.set["data_path"])
	data, isRecord := there.(map[string]any)
	e.Fields = s.record(data)
	name, _ := word(at(v, s.set["type_path"]))
	t, known := s.types[name]
	switch {
	case e.Subject == "":
		return e, fmt.Errorf("%s is missing", s.set["subject_path"])
	case there != nil && !isRecord:
		return e, fmt.Errorf("%s is no record", s.set["data_path"])
	case name == "":
		return e, fmt.Errorf("%s is missing", s.set["type_path"])
	case !known:
		return e, fmt.Errorf("the event type %q is unknown; add it to the setting types", name)
	}
	e.Type = t
	return e, nil
}

// record keeps the fields that are asked for and drops all others. null says of a field, and of all fields inside it, that
// they are empty; a field that is not there says nothing by itself.
func (s *source) record(data map[string]any) map[string]dayone.Value {
	out := map[string]dayone.Value{}
	flatten("", data, func(name string, v any) {
		if s.fields[name] {
			out[name] = value(v)
		}
		if v == nil {
			for field := range s.fields {
				if strings.HasPrefix(field, name+".") {
					out[field] = dayone.Value{}
				}
			}
		}
	})
	return out
}

// Read reads the record of one employment again.
func (s *source) Read(ctx context.Context, subject string) (dayone.Event, error) {
	const op = "reading employee"
	if s.set["url"] == "" {
		return dayone.Event{}, s.fault(op, dayone.ErrUnsupported, "no url is set")
	}
	rec, err := s.api.getEmployee(ctx, subject)
	if err != nil {
		return dayone.Event{}, err
	}
	e, err := s.reread(rec)
	if err == nil && e.Subject != subject {
		err = s.fault(op, dayone.ErrInvalid, fmt.Sprintf("asked for %s, got the record of %s", subject, e.Subject))
	}
	return e, err
}

func (s *source) reread(rec any) (dayone.Event, error) {
	data, _ := rec.(map[string]any)
	e := dayone.Event{Source: s.System, Type: dayone.Updated, Fields: s.record(data), Full: true}
	var ok bool
	if e.Subject, ok = word(at(rec, s.set["record_id"])); !ok {
		e.Type = ""
		return e, s.fault("reading employee", dayone.ErrInvalid, "a record has no "+s.set["record_id"])
	}
	changed, _ := word(at(rec, s.set["record_time"]))
	if e.At, _ = instant(changed); e.At.IsZero() {
		e.At = s.Now()
	}
	return e, nil
}

// Everybody streams every record. A record without a usable id is an error of its own, and the next ones follow; after
// any other error nothing follows.
func (s *source) Everybody(ctx context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) {
		if s.set["url"] == "" {
			yield(dayone.Event{}, s.fault("listing employees", dayone.ErrUnsupported, "no url is set"))
			return
		}
		for n := 1; n > 0; {
			page, err := s.api.listEmployees(ctx, n)
			if err == nil && page.next != 0 && page.next <= n {
				err = s.fault("listing employees", dayone.ErrInvalid, fmt.Sprintf("after page %d comes page %d", n, page.next))
			}
			if err != nil {
				yield(dayone.Event{}, err)
				return
			}
			for _, rec := range page.employees {
				if !yield(s.reread(rec)) {
					return
				}
			}
			n = page.next
		}
	}
}
