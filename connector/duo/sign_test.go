package duo

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
)

// vectors were checked against Duo's own SDK; the same two are kept here, as the file may not be there.
var vectors = map[string]vector{
	"duo_v2_form": {
		Canonical: "Fri, 22 Nov 2024 15:05:10 +0000\nPOST\napi-xxxxxxxx.duosecurity.com\n/admin/v1/users\nemail=sarah.chen%40example.com&username=schen",
		Date:      "Fri, 22 Nov 2024 15:05:10 +0000", Key: "DITESTTESTTESTTESTTE", Secret: "test-skey-not-a-secret",
		Authorization: "Basic RElURVNUVEVTVFRFU1RURVNUVEU6ZjUwZWEzMWE3NGUxYzJiNmY1YTEzNGQzM2UzNjg4ZmZiYWY5MTVjNWFhNTRjMzBjNmZjNGFlZmM4ODBmN2JlZmIzNDE1ODhhMTA0MWNlMjM2ZWUzZmIxMjJiYzE0YmZkNGI1NWUxNGU1NzA2ZmU4YmI4MGNhNTMyZjhiYWZiMmU=",
	},
	"duo_v5_json": {
		Canonical: "Fri, 22 Nov 2024 15:05:10 +0000\nPOST\napi-xxxxxxxx.duosecurity.com\n/admin/v1/users\n\n9dd4e7bfe826fa1f3295cd74a552e45759b22c57d07f713d046d24ce80f42c73bcb6151f961196895220e4e190f9cbdd4b806545f73e2d8278ee6c5fc456d388\ncf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
		Date:      "Fri, 22 Nov 2024 15:05:10 +0000", Key: "DITESTTESTTESTTESTTE", Secret: "test-skey-not-a-secret", Body: `{"username":"schen"}`,
		Authorization: "Basic RElURVNUVEVTVFRFU1RURVNUVEU6NDhmMTNiYzhkNjEwNjVlMDNlZGZjYmM3YzQ4OTQxNjkyNGFlYjA4MjE5NjQyZmE0NjFhYTFhYTJlMWM4NGM4YmZlZWJhZjY0OWQ4MWJjNWNjZjBmNGM0Yjc4NWI4Zjc2NDAyZGY3NzY1NGFlNDc2ZThlMTk5MDVhMzExMzlmMjg=",
	},
}

type vector struct {
	Canonical     string `json:"canonical"`
	Date          string `json:"date"`
	Key           string `json:"ikey"`
	Secret        string `json:"skey"`
	Body          string `json:"body"`
	Authorization string `json:"authorization"`
}

func TestSignatureVectors(t *testing.T) {
	all := map[string]vector{}
	for name, v := range vectors {
		all[name] = v
	}
	if file := connectortest.SpecificationFile("signature-vectors.json"); file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var kept map[string]json.RawMessage
		if err := json.Unmarshal(raw, &kept); err != nil {
			t.Fatal(err)
		}
		for name := range vectors {
			var v vector
			if err := json.Unmarshal(kept[name], &v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all[name+" of the file"] = v
		}
	}
	for name, v := range all {
		t.Run(name, func(t *testing.T) {
			at, err := time.Parse(time.RFC1123Z, v.Date)
			if err != nil {
				t.Fatal(err)
			}
			s := &signer{key: v.Key, secret: dayone.NewSecret(v.Secret), json: strings.HasPrefix(name, "duo_v5"), now: func() time.Time { return at.Local() }}
			body := v.Body
			if body == "" {
				body = "username=schen&email=sarah.chen%40example.com"
			}
			r, err := http.NewRequest("POST", "https://API-xxxxxxxx.duosecurity.com/admin/v1/users", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			text := canonical(v.Date, r, []byte(body))
			if s.json {
				text = canonicalJSON(v.Date, r, []byte(body))
			}
			if text != v.Canonical {
				t.Errorf("what is signed is\n%s\nwant\n%s", text, v.Canonical)
			}
			if err := s.sign(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if r.Header.Get("Date") != v.Date || r.Header.Get("Authorization") != v.Authorization {
				t.Errorf("it is signed %s at %s", r.Header.Get("Authorization"), r.Header.Get("Date"))
			}
		})
	}
}

func TestSignedSpaces(t *testing.T) {
	r, _ := http.NewRequest("GET", "https://x/admin/v1/users?username=Zo%C3%AB+Chen~1*&limit=1", nil)
	if got, want := canonical("d", r, nil), "d\nGET\nx\n/admin/v1/users\nlimit=1&username=Zo%C3%AB%20Chen~1%2A"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
