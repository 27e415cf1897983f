package unity

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

var _ connector.PhoneSystem = &target{}

// lookers read mailboxes at the same time, as many as the manifest allows calls.
const lookers = 3

// Discover reads every mailbox: the rows of all by pages, then each one for what no list shows, which are its other extensions,
// its locks and its directory. Nothing is changed for it.
func (t *target) Discover(ctx context.Context, seen func(dayone.PlatformKind, int)) (dayone.Platform, error) {
	u := t.users
	parts, err := u.all(ctx, "listing partitions", "/vmrest/partitions", "Partition", nil)
	if err != nil {
		return dayone.Platform{}, err
	}
	partition := map[string]string{}
	for _, p := range parts {
		partition[p.id()] = p["Name"]
	}
	coses, err := u.all(ctx, "listing classes of service", "/vmrest/coses", "Cos", nil)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) { // a release without the list says nothing of classes
		return dayone.Platform{}, err
	}
	class := map[string]string{}
	for _, c := range coses {
		class[c.id()] = c["DisplayName"]
	}
	needs := map[string][]string{}
	if err := u.naming(ctx, func(id, words string) { needs[id] = append(needs[id], words) }); err != nil {
		return dayone.Platform{}, err
	}
	rows, err := u.all(ctx, "listing mailboxes", "/vmrest/users", "User", byAlias)
	if err != nil {
		return dayone.Platform{}, err
	}
	boxes, err := u.look(ctx, rows, func(n int) { seen(dayone.PlatformMailboxes, n) }, func(o object, b *dayone.PlatformMailbox) {
		b.Partition, b.Class = partition[o["PartitionObjectId"]], class[o["CosObjectId"]]
		b.Needs = slices.Concat(needs[o.id()], needs[o["CallHandlerObjectId"]])
		slices.Sort(b.Needs)
	})
	if err != nil {
		return dayone.Platform{}, err
	}
	return dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformMailboxes}, Mailboxes: boxes}, nil
}

// look reads each mailbox of a list, several at a time, in the order of the list. One that was deleted meanwhile is left out; the
// first other error ends it.
func (u users) look(ctx context.Context, rows []object, seen func(n int), also func(object, *dayone.PlatformMailbox)) ([]dayone.PlatformMailbox, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range rows {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	found := make([]*dayone.PlatformMailbox, len(rows))
	var mu sync.Mutex
	n := 0
	var wait sync.WaitGroup
	for range lookers {
		wait.Go(func() {
			for i := range next {
				o, b, err := u.mailbox(ctx, rows[i].id())
				if errors.Is(err, dayone.ErrNotFound) {
					continue
				}
				if err != nil {
					stop(err)
					return
				}
				also(o, b)
				mu.Lock()
				found[i] = b
				n++
				seen(n)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var out []dayone.PlatformMailbox
	for _, b := range found {
		if b != nil {
			out = append(out, *b)
		}
	}
	return out, nil
}

// mailbox is one of them as it stands.
func (u users) mailbox(ctx context.Context, ref string) (object, *dayone.PlatformMailbox, error) {
	o, err := u.full(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	it, err := u.item(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	more, err := u.all(ctx, "reading alternate extensions", user(ref)+"/alternateextensions", "AlternateExtension", nil)
	if err != nil {
		return nil, nil, err
	}
	b := &dayone.PlatformMailbox{
		Ref: ref, Alias: o["Alias"], Extension: o["DtmfAccessId"], Email: o["EmailAddress"], FirstName: o["FirstName"], LastName: o["LastName"],
		Directory: it.Attrs.Text("directory"), Locked: it.State == dayone.Disabled,
	}
	for _, e := range more {
		if n := e["DtmfAccessId"]; n != "" && n != b.Extension { // its owner's own ones answer, too
			b.Extensions = append(b.Extensions, n)
		}
	}
	slices.Sort(b.Extensions)
	return o, b, nil
}
