package dayone

import "time"

// Brand is how a company looks in what people see of us: portal, mails, certificates. Whatever is empty is ours.
type Brand struct {
	Seq      int64  // counts up with each change; 0: nobody has set one
	Company  string // in place of the configuration's
	Accent   string // #1555b3: links and buttons by day
	Night    string // by night; "": made of Accent
	Footer   string // below each mail
	Help     string // mail address or https address to which people turn
	Logo     []byte
	LogoType string // image/svg+xml, image/png
	At       time.Time
	By       string
	Note     string // what was changed
}
