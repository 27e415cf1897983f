package message_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone/message"
)

// Whoever reads German gets German, with days as they are written there; what the company wrote itself goes before what is
// built in.
func TestMessagesByLanguage(t *testing.T) {
	t.Parallel()
	own := func(names ...string) fstest.MapFS {
		files := fstest.MapFS{}
		for _, name := range names {
			files["templates/"+name+".txt"] = &fstest.MapFile{Data: []byte("Subject: " + name + "\n\nFrom {{weekday .Start}}.\n")}
		}
		return files
	}
	for _, c := range []struct {
		company, person string
		files           fstest.MapFS
		subject, text   string
	}{
		{"", "", nil, "Welcome to Company! Your onboarding guide", "from Monday, Nov 25 07:00"},
		{"", "de-AT", nil, "Willkommen bei Company! So geht es los", "ab Montag, 25. November, 07:00 Uhr"},
		{"de", "", nil, "Willkommen bei Company! So geht es los", "- Google: erstes Passwort: http://x/s/abc"},
		{"de", "en", nil, "Welcome to Company! Your onboarding guide", "See you Monday!"},
		{"de", "fr", nil, "Welcome to Company! Your onboarding guide", "See you Monday!"},
		{"", "de", own("welcome"), "welcome", "From Monday."},
		{"de", "", own("welcome"), "welcome", "From Montag."},
		{"", "de", own("welcome", "welcome.de"), "welcome.de", "From Montag."},
		{"de", "en", own("welcome", "welcome.en"), "welcome.en", "From Monday."},
	} {
		v := sarah(t)
		v.Language, v.Links.Secrets[0].Title = c.person, "Google: first password"
		templates := message.Templates{Language: c.company}
		if c.files != nil {
			templates.Files = c.files
		}
		r, err := templates.Render("welcome", v)
		if err != nil || r.Subject() != c.subject || !strings.Contains(r.Text, c.text) {
			t.Errorf("%+v: %v\n%s\n%s", c, err, r.Subject(), r.Text)
		}
	}
	all := message.Templates{Files: own("welcome.en")}
	if slices.Contains(all.Names(), "welcome.de") || !slices.Contains(all.Variants(), "welcome.de") || !slices.Contains(all.Variants(), "welcome.en") {
		t.Errorf("names %v, in languages %v", all.Names(), all.Variants())
	}
	if err := (message.Templates{Files: fstest.MapFS{"templates/welcome.de.txt": {Data: []byte("Subject: x\n\n{{.Perso}}\n")}}}).Check(); err == nil {
		t.Error("a fault in a translation is not seen")
	}
}

// Whoever reads German is told of alerts in German, each finding by itself; one that is about nobody is told by its note alone.
func TestAlertsByLanguage(t *testing.T) {
	t.Parallel()
	v := sarah(t)
	v.Language, v.Alert = "de", &message.Alert{Title: "A system does not answer", Count: 3, More: 1, Items: []message.AlertItem{
		{About: "Okta", Note: "Okta has not answered since Mon 25 Nov 09:00 CET", Link: "http://x/systems"},
		{Note: "it waits for GitLab; 3 steps failed or are blocked", Link: "http://x/runs/1"},
	}}
	r, err := message.Templates{}.Render("alert", v)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Subject(), "Ein System antwortet nicht (3)"; got != want {
		t.Errorf("the subject is %q, want %q", got, want)
	}
	for _, want := range []string{"- Okta: Okta antwortet nicht seit Mo, 25. Nov., 09:00 CET\n  http://x/systems\n", "- es wartet auf GitLab; 3 Schritte sind gescheitert oder blockiert\n", "1 weitere steht auf der Übersicht.", "Übersicht"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %q in\n%s", want, r.Text)
		}
	}
}

// Each German message has the places of the English one: what it says of somebody is all said.
func TestGermanMessages(t *testing.T) {
	t.Parallel()
	for _, name := range (message.Templates{}).Variants() {
		german, err := message.Templates{}.Render(name, message.Sample())
		if err != nil {
			t.Fatal(err)
		}
		english, err := message.Templates{}.Render(message.Base(name), message.Sample())
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"Ada", "https://x", "Okta", "Looms", "AWS permission set prod", "Order a laptop"} {
			if strings.Contains(english.Subject()+english.Text, value) != strings.Contains(german.Subject()+german.Text, value) {
				t.Errorf("%s and its English one do not both say %q:\n%s", name, value, german.Text)
			}
		}
		if len(english.Header) != len(german.Header) {
			t.Errorf("%s has the headers %v", name, german.Header)
		}
	}
}
