package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// What is made with an account or a thing, and sealed with the intent.

// SecretIDOf is the id of an attribute that a step makes: the same over retries and runs of one grant.
func SecretIDOf(once, attr string) dayone.SecretID {
	return dayone.SecretID("sec_" + once + "." + attr)
}

// MadeWith says whether a secret was made with the grant of a once-key, whatever it is called there.
func MadeWith(id dayone.SecretID, once string) bool {
	return strings.HasPrefix(string(id), string(SecretIDOf(once, "")))
}

// vendorSecrets seals what a vendor made, in the transaction of its answer.
func (l *loop) vendorSecrets(in *input) ([]dayone.Sealed, error) {
	lv := l.runs[in.run]
	step := lv.run.Step(in.ev.Step)
	if step == nil || len(in.ev.Result.Secrets) == 0 {
		return nil, nil
	}
	var out []dayone.Sealed
	for _, name := range slices.Sorted(maps.Keys(in.ev.Result.Secrets)) {
		box, err := l.Keeper.Seal(in.ev.Result.Secrets[name])
		if err != nil {
			return nil, fmt.Errorf("sealing a secret of %s: %w", in.ev.Step, err)
		}
		out = append(out, dayone.Sealed{ID: SecretIDOf(step.Step.Once, name), Person: lv.run.Person, Box: box})
	}
	in.ev.Result.Secrets = nil
	return out, nil
}

// secrets makes what a new account or thing is born with, seals it with the intent, and opens it for the call. A retry gets
// the same one. What is there has no use for any, and hers may be used up: a box is empty once she has opened its link.
func (l *loop) secrets(c *call) error {
	if c.act.Want == nil || !bears(c) {
		return nil
	}
	for _, name := range c.act.Want.Attrs.Names() {
		v := c.act.Want.Attrs[name]
		if v.Kind != dayone.SecretValue || v.Text == dayone.VendorMade {
			continue
		}
		id := SecretIDOf(c.act.Once, name)
		box, found, err := l.Store.Secret(l.ctx, id)
		if err != nil {
			return unread("a secret", err)
		}
		var sec dayone.Secret
		if found && box != "" {
			if sec, err = l.Keeper.Open(box); err != nil {
				return fmt.Errorf("opening a secret of %s: %w", c.step, err)
			}
		} else {
			if sec, err = l.Keeper.Make(v.Text); err != nil {
				return fmt.Errorf("making a secret for %s: %w", c.step, err)
			}
			if box, err = l.Keeper.Seal(sec); err != nil {
				return fmt.Errorf("sealing a secret of %s: %w", c.step, err)
			}
			l.seal(c.run, dayone.Sealed{ID: id, Person: c.run.run.Person, Box: box})
		}
		if c.act.Secrets == nil {
			c.act.Secrets = map[string]dayone.Secret{}
		}
		c.act.Secrets[name] = sec
	}
	return nil
}

// bears says that the call makes what is not there yet, as far as its step knows.
func bears(c *call) bool {
	switch c.act.Action {
	case dayone.AccountCreate:
		return c.act.Subject.Ref == ""
	case dayone.EntitlementAdd:
		s := c.run.run.Step(c.step)
		return s != nil && s.Result.Now == nil
	}
	return false
}

func (l *loop) seal(lv *live, s dayone.Sealed) {
	lv.rest.Secrets = append(lv.rest.Secrets, s)
	l.mark(lv)
}
