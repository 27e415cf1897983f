package cucm

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

var _ connector.Pins = &target{}

// PinRules are those of the credential policy that the user's PIN names. Where it names none it is the one that is the default for
// PINs of end users, which AXL tells only to who knows its name: then a PIN has to meet all policies that there are.
func (t *target) PinRules(ctx context.Context, login string) (connector.PinRules, error) {
	const op = "reading credential policy"
	u, err := t.users.Cluster.Get(ctx, User, By(login))
	if err != nil {
		return connector.PinRules{}, err
	}
	name := u.Value("pinCredentials/pinCredPolicyName")
	var out connector.PinRules
	met := 0
	var odd error
	err = t.users.list(ctx, "credential policies", "CredentialPolicy", []*Element{Leaf("name", "%")}, []*Element{Leaf("name", ""), Leaf("minCredLength", ""), Leaf("trivialCredCheck", "false")}, func(e *Element) bool {
		if name != "" && !strings.EqualFold(e.Value("name"), name) {
			return true
		}
		least, err := strconv.Atoi(e.Value("minCredLength"))
		if err != nil {
			odd = t.users.Fault(op, dayone.ErrUnavailable, "", "the policy "+e.Value("name")+" does not say how long a PIN is")
			return false
		}
		met++
		out.Least, out.Trivial = max(out.Least, least), out.Trivial || e.True("trivialCredCheck")
		return true
	})
	switch {
	case err != nil:
		return connector.PinRules{}, err
	case odd != nil:
		return connector.PinRules{}, odd
	case met == 0:
		return connector.PinRules{}, t.users.Fault(op, dayone.ErrInvalid, "", "the cluster shows no credential policy for this user's PIN (User Settings > Credential Policy)")
	}
	out.Never = knownBy(u)
	return out, nil
}

// knownBy are the digits by which a user is known: the extension, whole and as it is dialled inside, and the names on the keys.
func knownBy(u *Object) []string {
	var out []string
	for _, n := range []string{u.Value("primaryExtension/pattern"), u.Value("telephoneNumber"), u.Value("ipccExtension")} {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, n)
		out = append(out, digits, digits[max(0, len(digits)-4):])
	}
	for _, n := range []string{u.Value("firstName"), u.Value("lastName"), u.Value("userid")} {
		out = append(out, dialled(n))
	}
	return out
}

// dialled is a name on the keys of a telephone; what stands on no key is left out.
func dialled(name string) string {
	const keys = "22233344455566677778889999"
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return rune(keys[r-'a'])
	}, strings.ToLower(name))
}

// slack is how far two looks at one clock may be apart.
const slack = 2 * time.Second

// PinSince goes by the time that the cluster tells of the last change, by its clock set right. Its words for a zone say of few
// zones which one it is, so that the setting time_zone counts for all others.
func (t *target) PinSince(ctx context.Context, login string, at time.Time) (bool, error) {
	u, err := t.users.Cluster.Get(ctx, User, By(login))
	if err != nil {
		return false, err
	}
	text, zone := u.Value("pinCredentials/pinCredTimeChanged"), t.users.zone
	if i := strings.LastIndexByte(text, ' '); i > 0 {
		if name := text[i+1:]; name == "UTC" || name == "GMT" {
			zone = time.UTC
		}
		text = text[:i]
	}
	changed, err := time.ParseInLocation("January 2, 2006 15:04:05", text, zone)
	if err != nil {
		return false, nil
	}
	changed = changed.Add(t.users.ahead())
	if changed.After(t.users.Now().Add(time.Minute)) {
		return false, t.users.Fault("reading when the PIN was changed", dayone.ErrInvalid, "", "it was changed in the future: the setting time_zone is not the zone in which the cluster writes times")
	}
	return !changed.Before(at.Add(-slack)), nil
}

// SetPin writes the PIN and nothing else of a user, in the cluster's one queue of writes.
func (t *target) SetPin(ctx context.Context, login string, pin dayone.Secret, mustChange bool) error {
	o := User.New()
	o.Set("pin", pin.Reveal())
	o.Set("pinCredentials/pinCredUserMustChange", strconv.FormatBool(mustChange))
	o.Set("pinCredentials/pinResetHackCount", "true")
	return t.users.Cluster.Update(ctx, By(login), o)
}

// ahead is how far our clock is ahead of the cluster's, as its last answer said.
func (c *Cluster) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}

func (c *Cluster) keepClock(h http.Header) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	c.skew = c.Now().Sub(at)
	c.mu.Unlock()
}
