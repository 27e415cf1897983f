package flow_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone/flow"
)

// besides is the house's folder with a message and a device profile of its own.
func (w *world) besides(message, profile string) fs.FS {
	f := w.folder(housePolicy).(fstest.MapFS)
	if message != "" {
		f["templates/manager-ready.txt"] = &fstest.MapFile{Data: []byte(message)}
	}
	if profile != "" {
		f["devices/laptop.yaml"] = &fstest.MapFile{Data: []byte(profile)}
	}
	return f
}

func (h *house) proposed(files fs.FS) flow.Proposal {
	h.t.Helper()
	set, diags := h.Load(files)
	if set == nil {
		h.t.Fatal(diags)
	}
	return flow.Proposal{Set: set, Files: files, Author: "kim@company.com"}
}

// A version holds its messages and device profiles: what lies in the folder does not count before it is applied, and going
// back brings the old ones back.
func TestAVersionHoldsItsMessagesAndProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.besides("Subject: old words\n\n{{.Person.Name}}\n", "profile: old")
	h := w.open()
	first := h.Active().Hash
	said := func(id string) string {
		t.Helper()
		h.hires(employee(id, "start_date", "2024-11-11", "department", "Sales"))
		return until(h, "the manager's mail about "+id, func() (string, bool) {
			for _, m := range h.mail.Messages() {
				if strings.Contains(m.Text, "No "+id) && strings.Contains(m.Subject, "words") {
					return m.Subject, true
				}
			}
			return "", false
		})
	}
	profile := func() string {
		t.Helper()
		raw, err := fs.ReadFile(h.InForce(), "devices/laptop.yaml")
		if err != nil {
			t.Error(err)
		}
		return string(raw)
	}
	same(t, "words", said("1"), "old words")

	h.stop()
	w.files = w.besides("Subject: new words\n\n{{.Person.Name}}\n", "profile: new")
	h = w.open()
	same(t, "words before they are applied", said("2"), "old words")
	same(t, "profile before it is applied", profile(), "profile: old")
	pr := h.proposed(w.files)
	e := h.everybody(pr)
	same(t, "files that the plan names", strings.Join(e.Files, ", "), "~ devices/laptop.yaml, ~ templates/manager-ready.txt")
	if _, err := h.Apply(ctx, pr, e, "priya@company.com", "", ""); err != nil {
		t.Fatal(err)
	}
	same(t, "words afterwards", said("3"), "new words")
	same(t, "profile afterwards", profile(), "profile: new")

	back, _, err := h.ProposalOf(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	back.Author = "kim@company.com"
	if _, err := h.Apply(ctx, back, h.everybody(back), "priya@company.com", "", ""); err != nil {
		t.Fatal(err)
	}
	same(t, "in force", h.Active().Hash, first)
	same(t, "words after going back", said("4"), "old words")
	same(t, "profile after going back", profile(), "profile: old")
}

// A message that cannot be written breaks the folder, and not what is in force.
func TestABrokenMessageBreaksTheFolderOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.besides("Subject: words\n\n{{.Person.Name}}\n", "")
	h := w.open()
	h.stop()
	w.files = w.besides("Subject: words\n\n{{.Person.Frist}}\n", "")
	h = w.open()
	stands, err := h.Policies(ctx)
	if err != nil || len(stands.Broken) != 1 || stands.Broken[0].File != "templates/manager-ready.txt" || stands.Broken[0].Line != 3 {
		t.Errorf("it stands as %+v, %v", stands.Broken, err)
	}
	h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	until(h, "a mail", func() (bool, bool) { return true, len(h.mail.Messages()) > 0 })
}
