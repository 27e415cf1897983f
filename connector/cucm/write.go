package cucm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Add makes an object. ErrConflict: one of that name is there, or a device of any other class has the name.
func (c *Cluster) Add(ctx context.Context, o *Object) (uuid string, err error) {
	e, err := o.forAdd()
	if err != nil {
		return "", err
	}
	if err := enter(ctx, c.writer); err != nil {
		return "", err
	}
	defer func() { <-c.writer }()
	ret, err := c.write(ctx, "adding "+o.Kind.Name, "add"+o.Kind.title(), e)
	if err != nil {
		return "", err
	}
	return strings.ToLower(strings.Trim(ret.Value("return"), "{}")), nil
}

// Update writes the named elements of an object and leaves every other as it is; nothing is read. Whoever writes a list by
// it writes all of it: Change reads before and after.
func (c *Cluster) Update(ctx context.Context, key Key, o *Object) error {
	args, err := o.forUpdate(key)
	if err != nil {
		return err
	}
	if err := enter(ctx, c.writer); err != nil {
		return err
	}
	defer func() { <-c.writer }()
	_, err = c.write(ctx, "updating "+o.Kind.Name, "update"+o.Kind.title(), args...)
	return err
}

// Remove removes an object. ErrNotFound: it is gone already.
func (c *Cluster) Remove(ctx context.Context, kind *Kind, key Key) error {
	if err := enter(ctx, c.writer); err != nil {
		return err
	}
	defer func() { <-c.writer }()
	_, err := c.write(ctx, "removing "+kind.Name, "remove"+kind.title(), key.elements(kind)...)
	return err
}

// Activate makes phones do what was written of a phone or a line: until then they go on as they were. It resets nothing.
func (c *Cluster) Activate(ctx context.Context, kind *Kind, key Key) error {
	if kind != Phone && kind != Line {
		return c.Fault("applying "+kind.Name, dayone.ErrUnsupported, "", "only phones and lines are applied")
	}
	if err := enter(ctx, c.writer); err != nil {
		return err
	}
	defer func() { <-c.writer }()
	_, err := c.write(ctx, "applying "+kind.Name, "apply"+kind.title(), key.elements(kind)...)
	return err
}

// Change reads an object, lets edit change it, writes what differs and reads it again, while nobody else of ours writes. An
// element that edit does not touch is not sent; one that it touches is sent whole, since AXL replaces lists and resets what
// a block leaves out. What reads back otherwise, or was written by somebody else meanwhile, is an ErrConflict: it has to be
// looked at. edit may be called once only; an edit that changes nothing writes nothing.
func (c *Cluster) Change(ctx context.Context, kind *Kind, key Key, edit func(o *Object) error) (was, is *Object, err error) {
	if err := enter(ctx, c.writer); err != nil {
		return nil, nil, err
	}
	defer func() { <-c.writer }()
	mark, err := c.mark(ctx)
	if err != nil {
		return nil, nil, err
	}
	if was, err = c.Get(ctx, kind, key); err != nil {
		return nil, nil, err
	}
	want := kind.Of(was.Clone())
	if err := edit(want); err != nil {
		return was, nil, err
	}
	diff, err := want.since(was)
	if err != nil {
		return was, nil, err
	}
	if len(diff.Kids) == 0 {
		return was, was, nil
	}
	if was.UUID != "" {
		key = Key{UUID: was.UUID} // names may change on the way
	}
	args, err := diff.forUpdate(key)
	if err != nil {
		return was, nil, err
	}
	if _, err := c.write(ctx, "updating "+kind.Name, "update"+kind.title(), args...); err != nil {
		return was, nil, err
	}
	if is, err = c.Get(ctx, kind, key); err != nil {
		return was, nil, err
	}
	if wrong := is.unlike(want, was, diff); wrong != "" {
		return was, is, c.Fault("verifying "+kind.Name, dayone.ErrConflict, "", wrong+" reads back otherwise than it was written: somebody else changes it; look at it in Cisco Unified CM Administration, then try again")
	}
	others, err := c.others(ctx, mark, was.UUID)
	if err != nil {
		return was, is, err
	}
	if others {
		return was, is, c.Fault("verifying "+kind.Name, dayone.ErrConflict, "", "somebody else wrote it between our reading and our writing; look at it in Cisco Unified CM Administration, then try again")
	}
	return was, is, nil
}

// since is what has to be written to make one object the other: every element at the first level that differs, whole.
func (o *Object) since(was *Object) (*Object, error) {
	if o.err != nil {
		return nil, o.err
	}
	diff := o.Kind.New()
	for _, f := range o.Kind.root.kids {
		now, then := o.All(f.name), was.All(f.name)
		if slices.EqualFunc(now, then, same) {
			continue
		}
		switch {
		case f.is('r'):
			return nil, fmt.Errorf("%s: %s is shown only: %w", o.Kind.Name, f.name, dayone.ErrInvalid)
		case len(now) == 0: // it is left as it is
			continue
		}
		diff.Kids = append(diff.Kids, now...)
	}
	return diff, nil
}

// same compares what is written of two elements.
func same(a, b *Element) bool {
	return a.Name == b.Name && a.Text == b.Text && a.CTI == b.CTI && slices.EqualFunc(a.Kids, b.Kids, same)
}

// volatile is what the cluster changes by itself, or hides.
func volatile(f *field) bool {
	return f.is('s') || f.is('w') || f.is('r') || f.name == "versionStamp"
}

// unlike names the first element that is not what it should be after a write: what was sent as sent, all else as before.
func (o *Object) unlike(want, was, sent *Object) string {
	for _, f := range o.Kind.root.kids {
		if volatile(f) {
			continue
		}
		expect := was
		if sent.kid(f.name) != nil {
			expect = want
		}
		now, then := o.All(f.name), expect.All(f.name)
		if len(now) > 0 && len(then) > 0 && !f.settled(now[0], then[0]) || (len(now) == 0) != (len(then) == 0) && !blank(now) && !blank(then) {
			return f.name
		}
	}
	return ""
}

func blank(es []*Element) bool {
	return !slices.ContainsFunc(es, func(e *Element) bool { return !e.empty() })
}

// settled says that an element shows what was written. The cluster may show more of it than was sent, and keeps counters,
// times and flags that act once.
func (f *field) settled(is, want *Element) bool {
	if len(f.kids) == 0 {
		return f.is('x') || is.Text == want.Text
	}
	for _, k := range f.kids {
		if volatile(k) || once[k.name] {
			continue
		}
		now, then := is.All(k.name), want.All(k.name)
		if len(then) == 0 && !k.is('*') {
			continue
		}
		if k.is('*') && len(now) != len(then) {
			return false
		}
		for i := range then {
			if i >= len(now) && !then[i].empty() || i < len(now) && !k.settled(now[i], then[i]) {
				return false
			}
		}
	}
	return true
}

// once are elements that do something and are over.
var once = map[string]bool{"pwdResetHackCount": true, "pinResetHackCount": true}

// mark is a place in the cluster's list of changes.
type mark struct{ queue, next string }

// mark reads where the list of changes stands now.
func (c *Cluster) mark(ctx context.Context) (mark, error) {
	if !c.changes {
		return mark{}, nil
	}
	r, err := c.read(ctx, "reading the change list", "listChange")
	if err != nil {
		return mark{}, err
	}
	return mark{r.Value("queueInfo/queueId"), r.Value("queueInfo/nextStartChangeId")}, nil
}

// others says that an object was written more than once since a mark, of which one time was ours. A list that began anew
// meanwhile tells nothing, and is an error.
func (c *Cluster) others(ctx context.Context, m mark, uuid string) (bool, error) {
	if !c.changes || m.queue == "" {
		return false, nil
	}
	at := Leaf("startChangeId", m.next)
	at.From = m.queue
	r, err := c.read(ctx, "reading the change list", "listChange", at)
	if err != nil {
		return false, err
	}
	n := 0
	for _, ch := range r.All("changes/change") {
		if ch.UUID == uuid {
			n++
		}
	}
	return n > 1, nil
}
