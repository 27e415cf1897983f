package connector

import (
	"context"
	"io/fs"
	"iter"
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
)

// Connector is one system as flow and engine see it.
type Connector interface {
	// Check says whether we are let in, with enough rights. ErrAuth, ErrForbidden, ErrUnavailable.
	Check(ctx context.Context) error
	// Observe reads one subject: her account and everything on it. Nothing there is an empty Seen and no error; what
	// cannot be read is an error, or named in Seen.Unread: it is never "gone".
	Observe(ctx context.Context, s dayone.Subject) (Seen, error)
	// Apply does one step. The same Act twice is once. It may answer "wait". An account that is there is written to only if
	// the act names its id; one that it finds otherwise is an ErrConflict that shows it: whose it is the books say.
	Apply(ctx context.Context, a dayone.Act) (dayone.Result, error)
	// List streams every account with its entitlements. The first error ends it and voids every "gone".
	List(ctx context.Context) iter.Seq2[Seen, error]
	// Catalogue streams the entitlements that the system offers.
	Catalogue(ctx context.Context) iter.Seq2[dayone.Offer, error]
}

// Seen is what a system shows of one subject. The account comes first, if there is one.
type Seen struct {
	Items  []dayone.Item
	Unread []string // kinds of which nothing is known, hence nothing is gone
}

// Account is the account among the items, or nil.
func (s Seen) Account() *dayone.Item {
	for i := range s.Items {
		if s.Items[i].Key.IsAccount() {
			return &s.Items[i]
		}
	}
	return nil
}

// Source is a connector from which events come: an HR system, a directory.
type Source interface {
	// Verify checks a webhook's signature before anything is parsed. ErrAuth.
	Verify(header http.Header, body []byte, now time.Time) error
	// Parse reads a verified body. A body may hold several events; ErrInvalid says where it is wrong.
	Parse(body []byte) ([]dayone.Event, error)
	// Read is the record of one employment as it stands now, as an event of type Updated: the whole of it, since what is
	// missing is taken to be empty, and as of its last change if the source tells, else as of now. ErrUnsupported: the
	// source has no API, so the webhook's own fields count. ErrNotFound: the source does not know it any more.
	Read(ctx context.Context, subject string) (dayone.Event, error)
	// Everybody streams all records, for a first import and for the nightly re-read.
	Everybody(ctx context.Context) iter.Seq2[dayone.Event, error]
}

// Changing is a source that tells what changed since it was asked last: a change there does not wait for the night.
type Changing interface {
	// Changes are the records that changed since a mark, whole as Read gives them, and the next mark. Without a mark there
	// are no records, only a first mark. ErrNotFound: the mark is too old, so the whole list has to be read. Whoever is gone
	// is not told of: that is the list's to show.
	Changes(ctx context.Context, since string) (records []dayone.Event, next string, err error)
}

// Directory is a source in which somebody can be looked up.
type Directory interface {
	// Search finds people by name, mail address or login, at most limit of them: records as Read gives them.
	Search(ctx context.Context, text string, limit int) ([]dayone.Event, error)
}

// Pictured is a source that has pictures of people.
type Pictured interface {
	// Photo is the picture of one employment, of about 100 pixels, and its media type. ErrNotFound: there is none.
	// ErrUnsupported: the settings ask for none.
	Photo(ctx context.Context, subject string) (image []byte, kind string, err error)
}

// Called is a connector whose system calls back, such as a reseller when an order ships.
type Called interface {
	// Callback checks the signature first (ErrAuth), then says whose step it is about and what it brings.
	Callback(header http.Header, body []byte, now time.Time) (Callback, error)
}

// Callback is what a system says about a step that waits.
type Callback struct {
	Once  string // the step's
	Attrs dayone.Attrs
}

// Reader is a connector that tells what an account still has or gives beside its entitlements.
type Reader interface {
	// Remains reads what is left on an account, the closed one of a leaver as well. checked are the classes of which it
	// tells, unread those of them of which nothing is known now: it is never "nothing is left".
	Remains(ctx context.Context, account dayone.Item) (found []dayone.Remain, checked, unread []dayone.RemainClass, err error)
}

// Limited is a connector that knows which actions its settings leave to humans, and what to set so that it does them.
type Limited interface {
	Cannot() map[string]string // "account disable": set scim_token
}

// Revoker ends what an account's owner has open when the account is closed: sessions, tokens and keys that outlive it. It
// is called on every close, also of an account that was closed already, and done twice it is done once.
type Revoker interface {
	Revoke(ctx context.Context, ref string) error
}

// Teller is a connector that tells what a dashboard shows of its system, by few requests however large that is.
type Teller interface {
	Tiles(ctx context.Context) ([]dayone.Tile, error)
}

// PhoneSystem is a connector whose system has telephone lines, devices or mailboxes.
type PhoneSystem interface {
	// Discover reads all of it, and changes nothing. It is whole or an error: what could not be read would look as if it were
	// free. seen is told from time to time how many of a kind were read; it is called by one at a time, and never nil.
	Discover(ctx context.Context, seen func(kind dayone.PlatformKind, n int)) (dayone.Platform, error)
}

// Config is what New gets.
type Config struct {
	System   string            // configured name: "gitlab-eu"
	Settings map[string]string // checked against the manifest; defaults are in
	Secrets  map[string]dayone.Secret
	HTTP     *http.Client // limited, timed and closed by a 429 for all; made by Guard
	Now      func() time.Time
	Files    fs.FS // the policy folder: device profiles, templates of orders; may be nil
	Manifest *Manifest
	// Beside finds the PINs of another configured system. It is asked when they are needed: systems are opened one after another.
	Beside func(system string) (Pins, error)
}

// Factory makes connectors of one kind. Every folder exports one as Factory.
type Factory struct {
	Manifest []byte // manifest.yaml
	// Words are those of the connector's source that may stand in an address or name a field, apart by blanks; the registry fills
	// them in. A log of requests shows no other.
	Words string
	New   func(Config) (Connector, error)
	// Shape makes of the manifest what a definition in the settings describes: attributes, kinds, actions. nil: the manifest
	// says all. It calls nobody, and needs no secret. An error is a *SettingError.
	Shape func(m *Manifest, settings map[string]string) error
}

// Accounts are a vendor's verbs for accounts. Find, compare, adopt, act, verify and before-state are Target's.
type Accounts interface {
	// Get reads by vendor id. ErrNotFound.
	Get(ctx context.Context, ref string) (dayone.Item, error)
	// Find reads by one of the manifest's match keys; none is an empty list. A key the vendor cannot search by is
	// ErrUnsupported.
	Find(ctx context.Context, by, value string) ([]dayone.Item, error)
	// Create makes it in a.Want.State, with a.Secrets. ErrConflict: a name is taken. Result.Now is what the vendor
	// answered, Result.Secrets what it made.
	Create(ctx context.Context, a dayone.Act) (dayone.Result, error)
	// Update sets the changed attributes and leaves every other as it is.
	Update(ctx context.Context, ref string, changed dayone.Attrs) error
	// Switch changes the state. ErrConflict: it is so already.
	Switch(ctx context.Context, ref string, from, to dayone.State) error
	// Delete removes it for good. ErrNotFound: it is gone already.
	Delete(ctx context.Context, ref string) error
	// All streams every account.
	All(ctx context.Context) iter.Seq2[dayone.Item, error]
}

// Entitlements are a vendor's verbs for one kind of what hangs on an account. Items carry Ref, Name, Role and State;
// State is Pending if the grant is there but its account has never been used, Role is empty if the system shows none: then
// the one that was given counts.
type Entitlements interface {
	Held(ctx context.Context, account string) ([]dayone.Item, error)
	Offers(ctx context.Context) iter.Seq2[dayone.Offer, error]
	// Add gives want.Ref, or changes its role or attributes. ErrConflict: has it already. ErrNoSeat.
	Add(ctx context.Context, account string, want dayone.Item) error
	// Remove takes it. ErrNotFound: had it not.
	Remove(ctx context.Context, account string, is dayone.Item) error
}

// Things are kinds that hang on no account of the system: a device, an order, a message.
type Things interface {
	// Look says how it stands: nil, if nothing of it is there.
	Look(ctx context.Context, a dayone.Act) (*dayone.Item, error)
	// Put brings it about; a.Have is what Look found. Result.Wait: it goes on elsewhere. What is pending is put again
	// whenever somebody asks how it stands: that must write nothing twice, and answer with the wait.
	Put(ctx context.Context, a dayone.Act) (dayone.Result, error)
	// Drop takes it back. ErrNotFound: it was gone.
	Drop(ctx context.Context, a dayone.Act) error
	// Of are those of a subject, for leavers and drift.
	Of(ctx context.Context, s dayone.Subject) ([]dayone.Item, error)
}
