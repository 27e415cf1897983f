package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

const mailSystem = "  mail:\n    connector: smtp\n    settings:\n      host: smtp.company.com\n      from: onboarding@company.com\n      user: dayone\n      password: ${file:okta.token}\n"

var mailValues = map[string]string{"host": "smtp.company.com", "from": "onboarding@company.com", "user": "dayone"}

func with(values map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for k, v := range values {
		out[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// A kept secret stays with the settings that it was given for: each of them can lead elsewhere.
func TestASecretGoesNowhereElseByItself(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, mailSystem)
	before := read(t, path)
	for name, values := range map[string]map[string]string{
		"another host":             with(mailValues, "host", "smtp.evil.example"),
		"another port":             with(mailValues, "port", "2525"),
		"in clear text":            with(mailValues, "tls", "none"),
		"another login":            with(mailValues, "user", "eve"),
		"by the name of its place": with(mailValues, "host", "smtp.evil.example", "password", "${file:okta.token}"),
		"from the environment":     with(mailValues, "host", "smtp.evil.example", "password", "${env:MAIL_PASSWORD}"),
	} {
		got, err := u.Write(t.Context(), web.SystemEntry{Name: "mail", By: "kim", Try: true, Save: true, Values: values})
		if err != nil || got.Faults != 1 || len(got.Findings) > 0 || !strings.Contains(faultOf(got.Form, "password"), "can lead elsewhere") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if read(t, path) != before {
		t.Fatal("what was refused is written")
	}
	got, err := u.Write(t.Context(), web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "host", "mx.company.com", "password", "the-new-one")})
	if err != nil || got.Faults != 0 || got.Problem != "" || !strings.Contains(read(t, path), "host: mx.company.com") {
		t.Errorf("with the secret: %+v, %v", got, err)
	}
}

func faultOf(f web.SystemForm, name string) string {
	for _, x := range f.Fields {
		if x.Name == name {
			return x.Error
		}
	}
	return ""
}

// A secret that stands in the file itself is neither shown nor recorded, however YAML writes it.
func TestASecretInTheFileIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"plain-hunter", "'it''s-hunter'", `"a\"b-hunter"`, `"\x68unter"`, "hunter  # hunter of old", "&h hunter", "!!str hunter"} {
		u, _ := inFolder(t, strings.Replace(mailSystem, "${file:okta.token}", written, 1))
		got, err := u.Write(t.Context(), web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "password", "another")})
		if err != nil || got.Problem != "" || got.Faults != 0 {
			t.Errorf("%s: %+v, %v", written, got, err)
			continue
		}
		gone, _, _ := strings.Cut(got.Lines, "\n+")
		if strings.Contains(gone, "unter") || !strings.Contains(gone, "-       password: [secret]") || !strings.Contains(got.Lines, "+       password: \"${file:mail.password.") {
			t.Errorf("%s is shown:\n%s", written, got.Lines)
		}
	}
	two := "\"hunter\n        two\""
	u, path := inFolder(t, strings.Replace(mailSystem, "${file:okta.token}", two, 1))
	before := read(t, path)
	got, err := u.Write(t.Context(), web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "password", "another")})
	if err != nil || !strings.Contains(got.Problem, "change it there") || strings.Contains(got.Problem+got.Lines, "hunter") || read(t, path) != before {
		t.Errorf("one of two lines: %+v, %v", got, err)
	}
}

// Another system that has its settings from the same lines is not changed along with one.
func TestAFormChangesOneSystem(t *testing.T) {
	t.Parallel()
	both := strings.Replace(mailSystem, "settings:\n", "settings: &ours\n", 1) + "  mail2:\n    connector: smtp\n    settings:\n      <<: *ours\n      user: second\n"
	u, path := inFolder(t, both)
	before := read(t, path)
	got, err := u.Write(t.Context(), web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "host", "mx.company.com", "password", "another")})
	if err != nil || !strings.Contains(got.Problem, "change it there") || read(t, path) != before {
		t.Errorf("%+v, %v\n%s", got, err, read(t, path))
	}
}

// What somebody writes into the file between the look and the writing stays.
func TestAChangeByHandIsNotOverwritten(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, mailSystem)
	raw := []byte(read(t, path))
	cfg, err := configOf(path, raw)
	if err != nil {
		t.Fatal(err)
	}
	d, out, err := u.draft(cfg, raw, web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "host", "mx.company.com", "password", "another")})
	if err != nil || out.Problem != "" || out.Faults != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	byHand := string(raw) + "# by hand\n"
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := u.write(t.Context(), d, "kim"); dayone.KindOf(err) != dayone.ErrConflict {
		t.Errorf("it is written over: %v", err)
	}
	if err := replaceConfig(path, d.text, raw); dayone.KindOf(err) != dayone.ErrConflict { // also in the last moment
		t.Errorf("it is written over: %v", err)
	}
	if read(t, path) != byHand || isThere(secretFile(path, "mail.password")) {
		t.Errorf("the file is\n%s", read(t, path))
	}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Two secrets and the configuration are written together, or none of them; what is written can be undone until it is.
func TestAllOfAChangeIsWrittenOrNone(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, "  github:\n    connector: github\n    settings:\n      organization: acme\n      token: ${file:github.token.secret}\n")
	token := filepath.Join(filepath.Dir(path), "github.token.secret")
	before := read(t, path)
	asBefore := func(when string) {
		t.Helper()
		if read(t, path) != before || read(t, token) != "the-old-one\n" || isThere(secretFile(path, "github.private_key")) || isThere(secretFile(path, "github.token")) {
			t.Errorf("%s: token %q, key there: %v\n%s", when, read(t, token), isThere(secretFile(path, "github.private_key")), read(t, path))
		}
	}
	e := web.SystemEntry{Name: "github", By: "kim", Save: true, Values: map[string]string{"organization": "acme", "token": "a-new-one", "private_key": "a-key"}}
	hers := u.hold("hers", "eve")

	cfg, err := configOf(path, []byte(before))
	if err != nil {
		t.Fatal(err)
	}
	d, out, err := u.draft(cfg, []byte(before), e)
	if err != nil || out.Problem != "" || out.Faults != 0 || len(d.secrets) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	d.text += "nonsense: true\n"
	if err := u.write(t.Context(), d, "kim"); err == nil {
		t.Error("a wrong configuration is written")
	}
	asBefore("the configuration failed")

	got, err := u.Write(t.Context(), e)
	if err != nil || got.Problem != "" || got.Faults != 0 || isThere(token) || read(t, secretFile(path, "github.token")) != "a-new-one\n" || read(t, secretFile(path, "github.private_key")) != "a-key\n" {
		t.Fatalf("%+v, %v", got, err)
	}
	if v, ok := u.heldBy(hers, "eve"); !ok || v != "hers" {
		t.Error("what another administrator typed is forgotten")
	}
	for _, x := range got.Form.Fields {
		if _, ok := u.heldBy(x.Held, "kim"); x.Held != "" && ok {
			t.Errorf("%s is held after it was written", x.Name)
		}
	}

	is := secretFile(path, "github.token")
	if err := os.WriteFile(is, []byte("by-hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Undo(t.Context(), "kim"); dayone.KindOf(err) != dayone.ErrConflict || read(t, is) != "by-hand\n" {
		t.Errorf("a secret that somebody has changed since is undone: %v", err)
	}
	if err := os.WriteFile(is, []byte("a-new-one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Undo(t.Context(), "kim"); err != nil {
		t.Errorf("it cannot be undone again: %v", err)
	}
	asBefore("undone")
}

// Without its record nothing is written, and nothing undone.
func TestNothingIsWrittenWithoutItsRecord(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, mailSystem)
	e := web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "password", "another")}
	before := read(t, path)
	if got, err := u.Write(t.Context(), e); err != nil || got.Problem != "" || got.Faults != 0 || read(t, secretFile(path, "mail.password")) != "another\n" {
		t.Fatalf("%+v, %v", got, err)
	}
	after, secret := read(t, path), secretFile(path, "mail.password")
	if err := u.server.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Undo(t.Context(), "kim"); err == nil || read(t, path) != after || read(t, secret) != "another\n" || u.LastChange() == "" {
		t.Errorf("undone without a record: %v\n%s", err, read(t, path))
	}
	e.Values["password"] = "a-third"
	if got, err := u.Write(t.Context(), e); err == nil && got.Problem == "" || read(t, path) != after || read(t, secret) != "another\n" {
		t.Errorf("written without a record: %+v, %v, %q", got, err, read(t, secret))
	}
	if before == after {
		t.Error("nothing was changed at all")
	}
}

// A form that was opened before somebody edited the file by hand says what changed, and writes nothing until that was seen.
func TestAFormThatIsOlderThanTheFileIsRefused(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, mailSystem)
	f, err := u.Form("", "mail")
	if err != nil || f.Mark == "" {
		t.Fatalf("%+v, %v", f, err)
	}
	byHand := strings.Replace(read(t, path), mailValues["host"], "by-hand.company.com", 1)
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	e := web.SystemEntry{Name: "mail", By: "kim", Save: true, Mark: f.Mark, Values: with(mailValues, "port", "2525", "password", "a-new-one")}
	got, err := u.Write(t.Context(), e)
	if err != nil || !strings.Contains(got.Problem, "host") || strings.Contains(got.Problem, "port") || !strings.Contains(faultOf(got.Form, "host"), "by-hand.company.com") || read(t, path) != byHand {
		t.Errorf("%+v, %v", got, err)
	}
	e.Mark, e.Values["host"] = got.Form.Mark, "by-hand.company.com" // it was seen
	if got, err = u.Write(t.Context(), e); err != nil || got.Problem != "" || got.Faults != 0 || !strings.Contains(read(t, path), "2525") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever a server that died between two files has left is taken away at a start, and nothing else is.
func TestALeftOverSecretIsTakenAway(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, mailSystem)
	e := web.SystemEntry{Name: "mail", By: "kim", Save: true, Values: with(mailValues, "password", "a-new-one")}
	if got, err := u.Write(t.Context(), e); err != nil || got.Problem != "" || got.Faults != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	dir := filepath.Dir(path)
	if isThere(journalOf(path)) {
		t.Fatal("a change that is over is still noted")
	}
	counts, left := secretFile(path, "mail.password"), filepath.Join(dir, "mail.password.zzzz2345.secret")
	half, others := filepath.Join(dir, ".mail.password.zzzz2345.secret.123.new"), filepath.Join(dir, "okta.token.previous.secret") // of another configuration
	for _, file := range []string{left, half, others} {
		if err := os.WriteFile(file, []byte("never named\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clean := func() {
		t.Helper()
		if err := cleanSecrets(path, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	clean()
	if !isThere(left) || !isThere(half) {
		t.Error("what no change has noted is taken away")
	}
	if err := u.begins(map[string][]byte{path: nil, left: nil, counts: nil, filepath.Join(dir, "okta.token"): nil}); err != nil { // and dies
		t.Fatal(err)
	}
	clean()
	if isThere(left) || isThere(half) || isThere(journalOf(path)) {
		t.Error("the left-over is still there")
	}
	for _, file := range []string{counts, others, filepath.Join(dir, "github.token.secret"), filepath.Join(dir, "okta.token")} {
		if !isThere(file) {
			t.Errorf("%s has gone", filepath.Base(file))
		}
	}
}
