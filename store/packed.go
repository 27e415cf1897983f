package store

import (
	"github.com/dayone-hq/dayone"
)

// The shapes that are packed. Every field of each stands here, but for what is never stored: TestEveryFieldIsPacked fails
// for one that was forgotten.

func (b *runBox) pack(p *pack) {
	packPlan(p, &b.Plan)
	list(p, &b.Have, packHolding)
}

func (b *stepBox) pack(p *pack) {
	pointer(p, &b.Wait, packWait)
	packAttrs(p, &b.Asked)
	packResult(p, &b.Result)
	word(p, &b.Error)
	word(p, &b.Kind)
	word(p, &b.Of)
	number(p, &b.Failing)
	number(p, &b.Parked)
	number(p, &b.Alarmed)
	pointer(p, &b.Def, packStep)
	yes(p, &b.Agreed)
}

func (b *holdingBox) pack(p *pack) {
	word(p, &b.Role)
	packAttrs(p, &b.Attrs)
	number(p, &b.Created)
	packAttrs(p, &b.Asked)
	yes(p, &b.Ours)
	number(p, &b.Generation)
	number(p, &b.Since)
	number(p, &b.Confirmed)
	list(p, &b.Because, packReason)
	word(p, &b.Run)
	packRelease(p, &b.Release)
	number(p, &b.Lost)
}

func packPlan(p *pack, v *dayone.Plan) {
	word(p, &v.Person)
	instantOf(p, &v.At)
	list(p, &v.Steps, packStep)
	list(p, &v.Later, packLater)
	list(p, &v.Occasions, packOccasion)
	list(p, &v.Findings, packFinding)
	yes(p, &v.Leaves)
	list(p, &v.Lost, packKey)
	dict(p, &v.Release, packKey, packRelease)
}

func packStep(p *pack, v *dayone.Step) {
	word(p, &v.ID)
	word(p, &v.Action)
	packKey(p, &v.Key)
	packSubject(p, &v.Subject)
	packValue(p, &v.Account)
	pointer(p, &v.Have, packItem)
	pointer(p, &v.Want, packItem)
	list(p, &v.Needs, packNeed)
	list(p, &v.Because, packReason)
	word(p, &v.Critical)
	packKey(p, &v.Via)
	list(p, &v.On, word[dayone.Moment])
	instantOf(p, &v.After)
	word(p, &v.Undo)
	word(p, &v.Once)
	word(p, &v.Lock)
	word(p, &v.Tier)
	yes(p, &v.Implied)
	word(p, &v.Undoes)
	yes(p, &v.Urgent)
	pointer(p, &v.Approval, packApproval)
	list(p, &v.Along, word[dayone.StepID])
}

func packKey(p *pack, v *dayone.Key) {
	word(p, &v.System)
	word(p, &v.Kind)
	word(p, &v.Name)
	word(p, &v.As)
}

func packSubject(p *pack, v *dayone.Subject) {
	word(p, &v.Ref)
	dict(p, &v.Keys, word[string], word[string])
	instantOf(p, &v.Recorded)
	dict(p, &v.Heir, word[string], word[string])
}

func packValue(p *pack, v *dayone.Value) {
	number(p, &v.Kind)
	word(p, &v.Text)
	if p.reading && v.Kind > dayone.SecretValue {
		p.fail("has a value of no kind")
	}
}

// packAttrs is dict for what nearly everything has: named here, neither its names nor its values go to the heap one by one.
func packAttrs(p *pack, v *dayone.Attrs) {
	n, none := p.length(len(*v), *v == nil)
	if !p.reading {
		for name, value := range *v {
			word(p, &name)
			packValue(p, &value)
		}
		return
	}
	if none {
		*v = nil
		return
	}
	out := make(dayone.Attrs, min(n, firstRoom))
	for range n {
		var name string
		var value dayone.Value
		word(p, &name)
		if packValue(p, &value); p.err != nil {
			return
		}
		out[name] = value
	}
	*v = out
}

func packItem(p *pack, v *dayone.Item) {
	packKey(p, &v.Key)
	word(p, &v.Ref)
	word(p, &v.State)
	word(p, &v.Role)
	packAttrs(p, &v.Attrs)
	instantOf(p, &v.Created)
}

func packNeed(p *pack, v *dayone.Need) {
	word(p, &v.Step)
	word(p, &v.When)
}

func packReason(p *pack, v *dayone.Reason) {
	word(p, &v.Policy)
	word(p, &v.At)
	word(p, &v.Commit)
	word(p, &v.Hash)
}

func packApproval(p *pack, v *dayone.Approval) {
	list(p, &v.By, word[string])
	word(p, &v.Need)
	number(p, &v.Within)
}

func packRelease(p *pack, v *dayone.Release) {
	number(p, &v.Suspend)
	number(p, &v.DeleteAfter)
}

func packLater(p *pack, v *dayone.Later) {
	packKey(p, &v.Key)
	instantOf(p, &v.From)
	list(p, &v.Because, packReason)
}

func packOccasion(p *pack, v *dayone.Occasion) {
	word(p, &v.ID)
	word(p, &v.Moment)
	list(p, &v.Changes, func(p *pack, c *dayone.AttrChange) {
		word(p, &c.Attr)
		word(p, &c.Was)
		word(p, &c.Is)
	})
}

func packFinding(p *pack, v *dayone.Finding) {
	word(p, &v.Kind)
	packKey(p, &v.Key)
	word(p, &v.Policy)
	word(p, &v.At)
	word(p, &v.Text)
}

func packHolding(p *pack, v *dayone.Holding) {
	packItem(p, &v.Item)
	packAttrs(p, &v.Asked)
	yes(p, &v.Ours)
	number(p, &v.Generation)
	instantOf(p, &v.Since)
	instantOf(p, &v.Confirmed)
	list(p, &v.Because, packReason)
	word(p, &v.Run)
	packRelease(p, &v.Release)
	instantOf(p, &v.Lost)
}

func packWait(p *pack, v *dayone.Wait) {
	word(p, &v.Kind)
	instantOf(p, &v.Check)
	instantOf(p, &v.Until)
	word(p, &v.Note)
	list(p, &v.Ask, word[string])
	yes(p, &v.Proof)
}

// packResult leaves out Secrets: those are sealed apart, or nowhere.
func packResult(p *pack, v *dayone.Result) {
	pointer(p, &v.Before, packItem)
	pointer(p, &v.Now, packItem)
	list(p, &v.Also, packItem)
	pointer(p, &v.Wait, packWait)
}
