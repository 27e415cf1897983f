package store

import "strings"

// numbers moves the telephone numbers that somebody has, and where others ring at her.
func (m *mover) numbers(b *mergeBox) error {
	owned, err := m.t.texts(1, `SELECT id FROM number WHERE owner = $1 ORDER BY id`, m.from)
	if err != nil {
		return err
	}
	for _, r := range owned {
		b.Moved["number"] = append(b.Moved["number"], r[0])
	}
	shown, err := m.t.texts(2, `SELECT number, CAST(slot AS TEXT) FROM number_shown WHERE person = $1 ORDER BY number, slot`, m.from)
	if err != nil {
		return err
	}
	for _, r := range shown {
		b.Moved["number_shown"] = append(b.Moved["number_shown"], r[0]+" "+r[1])
	}
	return m.numbersBack(b)
}

// numbersBack moves them, to whomever.
func (m *mover) numbersBack(b *mergeBox) error {
	if err := m.named("number", "owner", "id", b.Moved["number"]); err != nil {
		return err
	}
	for _, is := range b.Moved["number_shown"] {
		i := strings.LastIndexByte(is, ' ')
		rows, err := m.t.texts(1, `SELECT box FROM number_shown WHERE number = $1 AND slot = CAST($2 AS INTEGER) AND person = $3`, is[:i], is[i+1:], m.from)
		if err != nil {
			return err
		}
		for _, r := range rows {
			box, err := m.reseal(r[0])
			if err != nil {
				return err
			}
			if _, err := m.t.exec(`UPDATE number_shown SET person = $3, box = $4 WHERE number = $1 AND slot = CAST($2 AS INTEGER)`, is[:i], is[i+1:], m.to, box); err != nil {
				return err
			}
		}
	}
	return nil
}
