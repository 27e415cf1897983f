package store

import (
	"slices"

	"github.com/dayone-hq/dayone"
)

// Joined is what becomes of what one person has when it is put to what another has, which is decided system by system: where
// both have an account, everything at the second one stays apart, and a human sees to it.
type Joined struct {
	Moves  []dayone.Key
	Apart  []dayone.Key // stays in the books of whoever goes
	Twice  []string     // systems in which both have an account, or the same thing that cannot be one
	Brings []string     // systems whose account moves
	aside  []dayone.Key // what is gone of hers makes room for what comes
}

// Join says it. It is pure.
func Join(has, comes []dayone.Holding) Joined {
	var j Joined
	live := func(list []dayone.Holding, system string) bool {
		return slices.ContainsFunc(list, func(h dayone.Holding) bool {
			return h.Key.System == system && h.Key.IsAccount() && h.State != dayone.Gone
		})
	}
	twice := func(system string) {
		if !slices.Contains(j.Twice, system) {
			j.Twice = append(j.Twice, system)
		}
	}
	for _, h := range comes {
		s := h.Key.System
		mine, theirs := live(has, s), live(comes, s)
		i := slices.IndexFunc(has, func(o dayone.Holding) bool { return o.Key == h.Key })
		switch {
		case mine && theirs:
			j.Apart = append(j.Apart, h.Key)
			twice(s)
			continue
		case i >= 0 && (h.State == dayone.Gone || has[i].State != dayone.Gone):
			j.Apart = append(j.Apart, h.Key)
			if h.State != dayone.Gone && h.Key.Kind != "message" { // it was told of both
				twice(s)
			}
			continue
		case i >= 0:
			j.aside = append(j.aside, h.Key)
		}
		j.Moves = append(j.Moves, h.Key)
		if theirs && !slices.Contains(j.Brings, s) {
			j.Brings = append(j.Brings, s)
		}
	}
	return j
}

// things moves what somebody has, as Join says.
func (m *mover) things(b *mergeBox) error {
	has, err := m.have(m.to)
	if err != nil {
		return err
	}
	comes, err := m.have(m.from)
	if err != nil {
		return err
	}
	j := Join(has, comes)
	b.Systems = j.Brings
	for _, h := range has {
		if slices.Contains(j.Brings, h.Key.System) {
			b.Own = append(b.Own, h.Key.String())
		}
	}
	for _, k := range j.aside {
		rows, err := m.t.texts(5, `SELECT system, kind, ref, state, box FROM holding WHERE person = $1 AND key = $2`, m.to, k.String())
		if err != nil {
			return err
		}
		for _, r := range rows {
			b.Aside = append(b.Aside, asideHolding{k.String(), r[0], r[1], r[2], r[3], r[4]})
		}
		if _, err := m.t.exec(`DELETE FROM holding WHERE person = $1 AND key = $2`, m.to, k.String()); err != nil {
			return err
		}
	}
	for _, k := range j.Moves {
		b.Moved["holding"] = append(b.Moved["holding"], k.String())
		if err := m.thing(k.String()); err != nil {
			return err
		}
	}
	return nil
}

// have is what is in the books of somebody, without its box.
func (m *mover) have(id dayone.PersonID) (out []dayone.Holding, err error) {
	rows, err := m.t.texts(2, `SELECT key, state FROM holding WHERE person = $1 ORDER BY key`, id)
	for _, r := range rows {
		k, err := dayone.ParseKey(r[0])
		if err != nil {
			return nil, err
		}
		h := dayone.Holding{}
		h.Key, h.State = k, dayone.State(r[1])
		out = append(out, h)
	}
	return out, err
}

func (m *mover) thing(key string) error {
	rows, err := m.t.texts(1, `SELECT box FROM holding WHERE person = $1 AND key = $2`, m.from, key)
	if err != nil || len(rows) == 0 {
		return err
	}
	box, err := m.reseal(rows[0][0])
	if err != nil {
		return err
	}
	if _, err := m.t.exec(`DELETE FROM holding WHERE person = $1 AND key = $2 AND state = 'gone'`, m.to, key); err != nil {
		return err
	}
	_, err = m.t.exec(`UPDATE holding SET person = $2, box = $3 WHERE person = $1 AND key = $4`, m.from, m.to, box, key)
	return err
}

// thingsBack gives back what a merge brought: what moved then, and whatever hangs on an account that moved.
func (m *mover) thingsBack(b *mergeBox) error {
	back := slices.Clone(b.Moved["holding"])
	now, err := m.have(m.from)
	if err != nil {
		return err
	}
	for _, h := range now {
		key := h.Key.String()
		if slices.Contains(b.Systems, h.Key.System) && !slices.Contains(back, key) && (h.State != dayone.Gone || !slices.Contains(b.Own, key)) {
			back = append(back, key)
		}
	}
	for _, key := range back {
		if err := m.thing(key); err != nil {
			return err
		}
	}
	for _, a := range b.Aside {
		if _, err := m.t.exec(`INSERT INTO holding (person, key, system, kind, ref, state, box) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (person, key) DO NOTHING`,
			m.from, a.Key, a.System, a.Kind, a.Ref, a.State, a.Box); err != nil {
			return err
		}
	}
	return nil
}
