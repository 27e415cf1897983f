package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/web"
)

// inFolder is a server with a configuration of its own.
func inFolder(t *testing.T, systems string) (*systemForms, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "dayone.yaml")
	for name, text := range map[string]string{
		"dayone.yaml": "# ours\nportal: {token: \"${file:portal.token}\"}\nsystems:\n" + systems, "portal.token": strings.Repeat("x", 32), "okta.token": "an-older-secret",
		"github.token.secret":       "the-old-one\n",
		"policy/policies/base.yaml": "policies:\n  - {id: all, owner: it@company.com, match: everyone, grant: []}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := readConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := wire(t.Context(), cfg, wiring{clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return newSystemForms(path, s), path
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A system is tried, shown as it would stand in the file, written, and taken back; its secret is nowhere but in its file.
func TestASystemIsAddedByAForm(t *testing.T) {
	t.Parallel()
	vendor := oktasim.New(sim.Options{})
	srv := httptest.NewServer(vendor)
	defer srv.Close()
	settings := vendor.Settings(srv.URL)
	u, path := inFolder(t, "  okta-eu:  # stays\n    connector: okta\n    settings: {url: \"https://eu.okta.com\", token: \"${file:okta.token}\"}\n    mode: manual\n")
	before := read(t, path)
	e := web.SystemEntry{Kind: "okta", Name: "okta", New: true, By: "kim@company.com", Try: true, Held: map[string]string{}, Values: map[string]string{}}
	for k, v := range settings {
		e.Values[k] = v
	}
	secret := settings["token"]
	got, err := u.Write(t.Context(), e)
	if err != nil || got.Problem != "" || got.Faults != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(got.Findings) < 2 || got.Findings[1].Is != isGood || !strings.Contains(got.Lines, "+   okta:") || strings.Contains(got.Lines, secret) {
		t.Errorf("tried: %+v\n%s", got.Findings, got.Lines)
	}
	if read(t, path) != before {
		t.Fatal("trying has written")
	}
	e.Try, e.Save, e.Values["token"] = false, true, ""
	e.Held["token"] = heldOf(got.Form, "token")
	other := e
	other.By = "eve@company.com"
	if got, err := u.Write(t.Context(), other); err != nil || got.Faults != 1 {
		t.Errorf("somebody else writes with her secret: %+v, %v", got, err)
	}
	if got, err = u.Write(t.Context(), e); err != nil || got.Problem != "" || got.Faults != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	after := read(t, path)
	if !strings.HasPrefix(after, "# ours\n") || !strings.Contains(after, "okta-eu:  # stays") || strings.Contains(after, secret) || !strings.Contains(after, "${file:okta.token.") {
		t.Errorf("the file is\n%s", after)
	}
	file := secretFile(path, "okta.token")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || strings.TrimSpace(read(t, file)) != secret {
		t.Errorf("its file: %v, %v", info, err)
	}
	if _, err := readConfig(path); err != nil {
		t.Error(err)
	}
	if f, err := u.Form("", "okta"); err != nil || heldOf(f, "token") != "" {
		t.Errorf("the form: %+v, %v", f, err)
	} else {
		for _, x := range f.Fields {
			if x.Value == secret || x.Name == "token" && (x.Value != "" || !x.Set) {
				t.Errorf("the form shows %+v", x)
			}
		}
	}
	if !strings.Contains(u.LastChange(), "okta") {
		t.Errorf("the last change is %q", u.LastChange())
	}
	if _, err := u.Undo(t.Context(), "kim@company.com"); err != nil || read(t, path) != before {
		t.Errorf("undone: %v\n%s", err, read(t, path))
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the secret is still there: %v", err)
	}
}

// secretFile is where a form has put a secret; "none": nowhere.
func secretFile(path, name string) string {
	got, _ := filepath.Glob(filepath.Join(filepath.Dir(path), name+".????????.secret"))
	return append(got, filepath.Join(filepath.Dir(path), "none"))[0]
}

func heldOf(f web.SystemForm, name string) string {
	for _, x := range f.Fields {
		if x.Name == name {
			return x.Held
		}
	}
	return ""
}

// One line of a system is changed, and nothing else; what could read the machine's secrets is refused.
func TestASettingIsChangedByAForm(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, "  okta:\n    connector: okta\n    settings:\n      url: https://company.okta.com  # the tenant\n      token: ${file:okta.token}\n    mode: manual\n")
	write := func(save bool, values map[string]string) web.Written {
		t.Helper()
		got, err := u.Write(t.Context(), web.SystemEntry{Name: "okta", By: "kim", Save: save, Values: values})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	before := read(t, path)
	for name, c := range map[string]struct{ field, value, says string }{
		"the master key":   {"token", "${file:master.key}", "named in the configuration by hand"},
		"another folder":   {"token", "${file:okta.x/../../etc/passwd}", "by hand"},
		"another variable": {"token", "${env:HOME}", "${env:OKTA_TOKEN}"},
		"in an address":    {"url", "https://evil.example/${file:master.key}", "only secrets are references"},
		"no address":       {"url", "company", "is an address"},
		"elsewhere":        {"url", "https://evil.example", "give it again"},
	} {
		values := map[string]string{"url": "https://company.okta.com", c.field: c.value}
		got := write(true, values)
		text := got.Problem
		for _, f := range got.Form.Fields {
			text += f.Error
		}
		if got.Faults == 0 || !strings.Contains(strings.ToLower(text), strings.ToLower(c.says)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := write(true, map[string]string{"url": "https://company.okta.com"}); got.Problem == "" {
		t.Error("nothing was changed and it is written")
	}
	if read(t, path) != before {
		t.Fatal("what was refused is written")
	}
	got := write(true, map[string]string{"url": "https://new.okta.com", "token": "a-new-secret-\"quoted\""})
	if got.Problem != "" || got.Faults != 0 {
		t.Fatalf("%+v", got)
	}
	after := read(t, path)
	want := strings.Replace(strings.Replace(before, "https://company.okta.com", "https://new.okta.com", 1), "token: ${file:okta.token}", `token: "${file:`+filepath.Base(secretFile(path, "okta.token"))+`}"`, 1)
	if after != want {
		t.Errorf("the file is\n%s", after)
	}
	if err := os.WriteFile(path, []byte(after+"# by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Undo(t.Context(), "kim"); dayone.KindOf(err) != dayone.ErrConflict || u.LastChange() != "" {
		t.Errorf("what was written by hand is undone: %v", err)
	}
	if _, err := u.Form("exec", ""); dayone.KindOf(err) != dayone.ErrForbidden {
		t.Errorf("programs are run from the portal: %v", err)
	}
}

// A page names no file but a list, and no secret but the system's own: what the configuration reads is neither sent nor
// written over.
func TestAFormReachesNothingElseOnTheMachine(t *testing.T) {
	t.Parallel()
	u, path := inFolder(t, "")
	before := read(t, path)
	for _, name := range []string{"master", "hr", "portal"} {
		for _, ref := range []string{"${file:master.key}", "${file:hr.secret}", "${file:portal.token}", "${file:" + name + ".token}", "${env:PATH}"} {
			got, err := u.Write(t.Context(), web.SystemEntry{Kind: "scim", Name: name, New: true, By: "kim", Try: true, Save: true, Values: map[string]string{"url": "https://scim.example", "token": ref}})
			if err != nil || got.Faults == 0 || len(got.Findings) > 0 {
				t.Errorf("%s as %s: %+v, %v", ref, name, got, err)
			}
		}
	}
	for _, file := range []string{"master.key", "portal.token", "policy/sites.yaml", "dayone.yaml", "lists/../master.key", "lists/x.key", "/etc/passwd"} {
		got, err := u.Write(t.Context(), web.SystemEntry{Kind: "manual", Name: "badges", New: true, By: "kim", Save: true, Values: map[string]string{"file": file}})
		if err != nil || got.Faults == 0 {
			t.Errorf("%s is written over: %v, %v", file, got.Problem, err)
		}
	}
	if read(t, path) != before {
		t.Error("what was refused is written")
	}
	got, err := u.Write(t.Context(), web.SystemEntry{Kind: "manual", Name: "badges", New: true, By: "kim", Values: map[string]string{"file": "lists/badges.csv"}})
	if err != nil || got.Faults != 0 || got.Problem != "" {
		t.Errorf("a list: %+v, %v", got, err)
	}
}
