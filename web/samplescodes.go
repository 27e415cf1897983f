package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleLinks are links of every kind, for the gallery.
var sampleCodeTitles, sampleCodeKinds = map[string]string{"meraki": "Cisco Meraki"}, map[string]string{"meraki/code": "network code"}

func sampleLinks(now time.Time) []flow.SecretLink {
	code, url := dayone.Key{System: "meraki", Kind: "code", Name: "HQ/Corp"}, "https://dayone.company.com/secret/"
	return []flow.SecretLink{
		{Key: dayone.Key{System: "okta", Kind: "account"}, System: "Okta", URL: url + "mF2l0R7cPz1xT5bYb0kq9dEJw3nVuH6s", Opens: now.Add(72 * time.Hour)},
		{Key: code, System: "Cisco Meraki", Thing: "Network code", URL: url + "q9dEJw3nVuH6smF2l0R7cPz1xT5bYb0k", Waits: true},
	}
}
