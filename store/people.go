package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

var factTable = table{"fact", []string{
	"person", "engagement", "attr", "effective", "said", "again", "recorded", "box", "personal", "bad", "source", "event", "veiled",
}, []string{"person", "engagement", "attr", "effective", "recorded"}}

// Row is a person in a list: what lists show and are searched by.
type Row struct {
	ID         dayone.PersonID
	Managed    bool
	Wake       time.Time
	Name       string
	Email      string
	Manager    string
	Title      string
	Department string
	Team       string
	Location   string
	Country    string // in small letters, as Company: by them a role's scope tells people apart; "": unknown
	Company    string
	Status     dayone.Status
	Starts     time.Time
	Ends       time.Time
	Buddy      string
	Problem    string       // why no plan could be made at the last look; "": one could
	Told       *dayone.Told // nil leaves it
	Veil       dayone.Veil  // how much of the person this row leaves out
	Unveil     time.Time    // when some of that may be known; zero: never
}

// LastDay is an instant of the last day, Ends being the first after it; zero: open.
func (r Row) LastDay() time.Time {
	if r.Ends.IsZero() {
		return time.Time{}
	}
	return r.Ends.Add(-time.Second)
}

// Saved is what one event did to the books about a person: all or nothing.
type Saved struct {
	Event      dayone.EventID // marked with State, Note and Run; "" if no event is behind it
	State      dayone.EventState
	Note       string
	Person     dayone.PersonID
	New        bool // the person is new
	Employment *dayone.Employment
	Facts      []dayone.Fact
	Names      []Name       // that are hers from now on
	Row        *Row         // the list's row; nil leaves it
	Opened     *dayone.Task // somebody has to decide about it
	Marks      []string     // by what she is found; nil leaves it
	Records    []dayone.Record
	Passing    *Passing // what it asks of brakes; beyond them the event is held, and nothing else is written
	Veiled     bool     // the event speaks of something confidential: its records are kept back with it
}

// Save writes it. ErrNameTaken: a name was given to somebody else meanwhile.
func (d *DB) Save(ctx context.Context, s Saved) error {
	salt := ""
	if len(s.Names) > 0 {
		var err error
		if salt, err = d.nameSalt(ctx); err != nil {
			return err
		}
	}
	return d.write(ctx, func(t *tx) error {
		if s.Person != "" && !s.New {
			switch key, err := d.key(t, s.Person); {
			case err != nil:
				return err
			case key == "": // the source's next word is about somebody new
				return fmt.Errorf("person %s was erased: %w", s.Person, dayone.ErrConflict)
			}
			var merged string
			switch err := t.row(`SELECT merged FROM person WHERE id = $1`, s.Person).Scan(&merged); {
			case err != nil && !errors.Is(err, sql.ErrNoRows):
				return err
			case merged != "": // its employments are another's now
				return fmt.Errorf("person %s: %w", s.Person, ErrMerged)
			}
		}
		if s.Passing != nil {
			if held, err := d.braked(t, s.Passing); err != nil || held {
				return err
			}
		}
		if s.New {
			box, err := d.sealer.NewKey()
			if err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO person (id, key_box, managed, created, wake, name, search, email, manager, title, department, team, location, status, starts, ends, buddy, problem)
				VALUES ($1, $2, 0, $3, 0, '', '', '', '', '', '', '', '', '', 0, 0, '', '')`, s.Person, box, micros(d.now())); err != nil {
				return fmt.Errorf("writing person: %w", err)
			}
		}
		if e := s.Employment; e != nil {
			_, err := t.exec(`INSERT INTO employment (id, person, source, source_id, recorded) VALUES ($1, $2, $3, $4, $5)`, e.ID, s.Person, e.Source, e.SourceID, micros(e.Recorded))
			if taken(err) {
				return fmt.Errorf("employment %s of %s is bound to somebody already: %w", e.SourceID, e.Source, dayone.ErrConflict)
			}
			if err != nil {
				return fmt.Errorf("writing employment: %w", err)
			}
			if err := t.overtook(e); err != nil {
				return fmt.Errorf("waking events: %w", err)
			}
		}
		if err := errors.Join(t.claim(salt, s.Person, s.Names), d.facts(t, s.Person, s.Facts)); err != nil {
			return err
		}
		if s.Employment != nil || len(s.Facts) > 0 {
			if err := d.gather(t, s); err != nil {
				return err
			}
		}
		if s.Row != nil {
			if err := d.saveRow(t, *s.Row); err != nil {
				return err
			}
		}
		if s.Opened != nil {
			if err := d.openTask(t, *s.Opened, noStep); err != nil {
				return err
			}
		}
		if s.Marks != nil {
			if err := t.keepMarks(s.Person, s.Marks); err != nil {
				return err
			}
		}
		if s.Event != "" {
			if _, err := t.exec(`UPDATE event SET state = $2, note = $3, person = $4, veiled = $5 WHERE id = $1`, s.Event, s.State, s.Note, s.Person, truth(s.Veiled)); err != nil {
				return fmt.Errorf("marking event: %w", err)
			}
		}
		if s.Veiled {
			return d.hush(t, s.Event, s.Person, s.Records)
		}
		return d.append(t, s.Records)
	})
}

// unlisted is the status of the row of somebody of whom nobody may know.
const unlisted dayone.Status = "hidden"

func (d *DB) saveRow(t *tx, r Row) error {
	if r.Veil == dayone.WholeVeiled {
		r.Status = unlisted
	}
	told := ""
	if r.Told != nil {
		var err error
		if told, err = d.seal(t, r.ID, r.Told); err != nil {
			return err
		}
	}
	if there, err := t.words(r.ID, fold(r.Name), strings.ToLower(r.Email)); err != nil || !there {
		return err
	}
	_, err := t.exec(`UPDATE person SET managed = CASE WHEN $18 = 2 AND $2 = 0 THEN managed ELSE $2 END, wake = $3, name = $4, search = $5, email = $6, manager = $7, title = $8, department = $9, team = $10,
		location = $11, status = $12, starts = $13, ends = $14, buddy = $15, problem = $16, told = CASE WHEN $17 = '' THEN told ELSE $17 END, veil = $18, unveil = $19,
		country = $20, company = $21, placed = 1 WHERE id = $1 AND key_box <> '' AND merged = ''`,
		r.ID, truth(r.Managed), micros(r.Wake), r.Name, fold(r.Name), strings.ToLower(r.Email), strings.ToLower(r.Manager), r.Title, r.Department, r.Team,
		r.Location, r.Status, micros(r.Starts), micros(r.Ends), strings.ToLower(r.Buddy), r.Problem, told, int(r.Veil), micros(r.Unveil),
		strings.ToLower(r.Country), strings.ToLower(r.Company))
	if err != nil {
		return fmt.Errorf("writing person: %w", err)
	}
	return nil
}

// SetWake stores when a person is to be planned again by herself.
func (d *DB) SetWake(ctx context.Context, person dayone.PersonID, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1`, person, micros(at))
		return err
	})
}

// SetProblem keeps why a person could not be planned, until the next look, which is at again, or when something made her due
// after since.
func (d *DB) SetProblem(ctx context.Context, person dayone.PersonID, problem string, since, again time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE person SET problem = $2, unveil = 0, wake = CASE WHEN wake > $4 AND wake < $3 THEN wake ELSE $3 END WHERE id = $1 AND key_box <> '' AND merged = ''`,
			person, problem, micros(again), micros(since))
		return err
	})
}

// SaveRow refreshes the list's row of a person after a look from since to until. If somebody made her due in that time, she
// stays due.
func (d *DB) SaveRow(ctx context.Context, r Row, since, until time.Time) error {
	return d.write(ctx, func(t *tx) error {
		var wake int64
		switch err := t.row(`SELECT wake FROM person WHERE id = $1`, r.ID).Scan(&wake); {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("reading when somebody is due: %w", err)
		}
		if wake > micros(since) && wake <= micros(until) {
			r.Wake = instant(wake)
		}
		return d.saveRow(t, r)
	})
}

func (d *DB) facts(t *tx, person dayone.PersonID, facts []dayone.Fact) error {
	rows := make([]any, 0, len(facts)*len(factTable.columns))
	seen := map[string]int{}
	for _, f := range facts {
		box, err := d.seal(t, person, f.Value)
		if err != nil {
			return err
		}
		rows = latest(rows, seen, fmt.Sprint(f.Engagement, f.Attr, micros(f.Effective), micros(f.Recorded)),
			string(person), string(f.Engagement), f.Attr, micros(f.Effective), micros(f.Said), micros(f.Again), micros(f.Recorded), box, truth(f.Personal), truth(f.Bad), f.Source, string(f.Event), truth(f.Veiled))
	}
	return t.put(factTable, rows)
}

// Timeline is everything we know of a person. ErrNotFound: nobody.
func (d *DB) Timeline(ctx context.Context, person dayone.PersonID) (dayone.Timeline, error) {
	t := dayone.Timeline{Person: person}
	var managed int
	var key sql.NullString
	var told string
	if err := d.read.QueryRowContext(ctx, `SELECT managed, key_box, told FROM person WHERE id = $1`, person).Scan(&managed, &key, &told); err != nil {
		return t, notFound("person", err)
	}
	t.Managed = managed != 0
	if _, err := d.unseal(key, told, &t.Told); err != nil {
		return t, fmt.Errorf("what was told of %s does not read: %w", person, err)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT id, source, source_id, recorded FROM employment WHERE person = $1 ORDER BY id`, person)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	for rows.Next() {
		var e dayone.Employment
		var recorded int64
		if err := rows.Scan(&e.ID, &e.Source, &e.SourceID, &recorded); err != nil {
			return t, err
		}
		e.Recorded = instant(recorded)
		t.Employments = append(t.Employments, e)
	}
	if err := rows.Err(); err != nil {
		return t, err
	}
	fs, err := d.read.QueryContext(ctx, `SELECT engagement, attr, effective, said, again, recorded, box, personal, bad, source, event, veiled FROM fact WHERE person = $1 ORDER BY engagement, attr, effective, recorded`, person)
	if err != nil {
		return t, err
	}
	defer fs.Close()
	for fs.Next() {
		var f dayone.Fact
		var effective, said, again, recorded int64
		var personal, bad, veiled int
		var box string
		if err := fs.Scan(&f.Engagement, &f.Attr, &effective, &said, &again, &recorded, &box, &personal, &bad, &f.Source, &f.Event, &veiled); err != nil {
			return t, err
		}
		f.Effective, f.Said, f.Again, f.Recorded = instant(effective), instant(said), instant(again), instant(recorded)
		f.Bad, f.Personal, f.Veiled = bad != 0, personal != 0, veiled != 0
		there, err := d.unseal(key, box, &f.Value)
		if err != nil {
			return t, fmt.Errorf("%s of %s does not read: %w", f.Attr, person, err)
		}
		if there { // erased: it is as if it had never been said
			t.Facts = append(t.Facts, f)
		}
	}
	return t, fs.Err()
}

// PersonOf is who has an employment. The second result is false if nobody has.
func (d *DB) PersonOf(ctx context.Context, source, sourceID string) (dayone.PersonID, bool, error) {
	var p dayone.PersonID
	err := d.read.QueryRowContext(ctx, `SELECT person FROM employment WHERE source = $1 AND source_id = $2`, source, sourceID).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return p, err == nil, err
}

// PersonWith is who has an engagement. The second result is false if nobody has.
func (d *DB) PersonWith(ctx context.Context, id dayone.EngagementID) (dayone.PersonID, bool, error) {
	var p dayone.PersonID
	err := d.read.QueryRowContext(ctx, `SELECT person FROM employment WHERE id = $1`, id).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return p, err == nil, err
}

const rowColumns = `id, managed, wake, name, email, manager, title, department, team, location, status, starts, ends, buddy, problem, veil, unveil, country, company`

func scanRow(s interface{ Scan(...any) error }) (Row, error) {
	var r Row
	var managed int
	var wake, starts, ends, unveil int64
	err := s.Scan(&r.ID, &managed, &wake, &r.Name, &r.Email, &r.Manager, &r.Title, &r.Department, &r.Team, &r.Location, &r.Status, &starts, &ends, &r.Buddy, &r.Problem, &r.Veil, &unveil, &r.Country, &r.Company)
	r.Managed, r.Wake, r.Starts, r.Ends, r.Unveil = managed != 0, instant(wake), instant(starts), instant(ends), instant(unveil)
	return r, err
}

// Person is one row of the list.
func (d *DB) Person(ctx context.Context, id dayone.PersonID) (Row, error) {
	r, err := scanRow(d.read.QueryRowContext(ctx, `SELECT `+rowColumns+` FROM person WHERE id = $1`, id))
	return r, notFound("person", err)
}

// PeopleOf are the rows of several people; who is not there has none.
func (d *DB) PeopleOf(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]Row, error) {
	out := make(map[dayone.PersonID]Row, len(ids))
	for some := range slices.Chunk(ids, AtOnce) {
		in, args := among(some)
		err := d.each(ctx, `SELECT `+rowColumns+` FROM person WHERE id IN `+in, args, func(rows *sql.Rows) error {
			r, err := scanRow(rows)
			out[r.ID] = r
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PersonByEmail finds somebody by work mail; of several the one who is here.
func (d *DB) PersonByEmail(ctx context.Context, email string) (Row, error) {
	r, err := scanRow(d.read.QueryRowContext(ctx, `SELECT `+rowColumns+` FROM person WHERE email = $1 ORDER BY CASE status WHEN 'active' THEN 0 WHEN 'leave' THEN 1 WHEN 'pre-hire' THEN 2 ELSE 3 END, id LIMIT 1`,
		strings.ToLower(email)))
	return r, notFound("person", err)
}

// Named finds a person by id, mail or the whole name. ErrConflict: several are meant.
func (d *DB) Named(ctx context.Context, who string) (Row, error) { return d.NamedWithin(ctx, who, nil) }

// NamedWithin finds one of a scope as Named does: who is in none is nobody.
func (d *DB) NamedWithin(ctx context.Context, who string, scope dayone.Scope) (Row, error) {
	if strings.TrimSpace(who) == "" { // people without an address are no answer to an empty question
		return Row{}, fmt.Errorf("say who it is, by mail address: %w", dayone.ErrInvalid)
	}
	if id := dayone.PersonID(who); dayone.ValidID("per", who) {
		to, err := d.PersonOfMerged(ctx, id)
		if err != nil {
			return Row{}, err
		}
		r, err := d.Person(ctx, cmp.Or(to, id))
		if err == nil && (r.Veil == dayone.WholeVeiled || !scope.Has(r.Country, r.Company)) {
			return Row{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
		}
		return r, err
	}
	if r, err := d.PersonByEmail(ctx, who); err == nil && scope.Has(r.Country, r.Company) || err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return r, err
	}
	rows, err := d.People(ctx, PeopleFilter{Text: who, Limit: 2, Within: scope})
	switch {
	case err != nil:
		return Row{}, err
	case len(rows) == 0:
		return Row{}, fmt.Errorf("nobody is called %q: %w", who, dayone.ErrNotFound)
	case len(rows) > 1 && fold(rows[0].Name) != fold(who):
		return Row{}, fmt.Errorf("%q may be %s or %s; say it by mail address: %w", who, rows[0].Name, rows[1].Name, dayone.ErrConflict)
	case len(rows) > 1 && fold(rows[1].Name) == fold(who):
		return Row{}, fmt.Errorf("several people are called %q; say it by mail address: %w", who, dayone.ErrConflict)
	}
	return rows[0], nil
}

// PeopleFilter narrows the list of people, and says what it is sorted by. Pages are keyset: what Behind takes of the last row shown.
type PeopleFilter struct {
	Text       string // beginning of a name or of a word in it, or of a mail address
	Status     dayone.Status
	Department string
	Manager    string
	Team       string
	Missing    dayone.BrakeID // only those whom the list lacks that this brake holds
	Unplanned  bool           // only those for whom no plan could be made
	Since      time.Time      // only managed people who have not begun, or have since then: by their first day, not by name
	Within     dayone.Scope
	Sort       PeopleSort
	Down       bool // from the last to the first
	AfterName  string
	AfterID    dayone.PersonID
	AfterDay   time.Time // where a day is what it is sorted by; zero: who has none
	AfterPlace string    // the department, where it is sorted by that
	Limit      int
}

// People lists people, by name if nothing else is said.
func (d *DB) People(ctx context.Context, f PeopleFilter) ([]Row, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	var out []Row
	for _, part := range f.parts() {
		q, args, err := d.peopleQuery(ctx, part)
		if err != nil {
			return nil, err
		}
		rows, err := d.read.QueryContext(ctx, q, args...)
		if err != nil {
			return nil, err
		}
		some, err := collect(rows, func(s interface{ Scan(...any) error }) (Row, error) { return scanRow(s) })
		if err != nil {
			return nil, err
		}
		if out = append(out, some...); len(out) >= f.Limit {
			return out[:f.Limit], nil
		}
	}
	return out, nil
}

func (d *DB) peopleQuery(ctx context.Context, f peoplePart) (q string, args []any, err error) {
	q = `SELECT ` + rowColumns + ` FROM person WHERE key_box <> '' AND veil < 2 AND merged = ''` // who was erased is in no list, and who is hidden neither
	add := func(cond string, vals ...any) {
		for _, v := range vals {
			args = append(args, v)
			cond = strings.Replace(cond, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		q += " AND " + cond
	}
	few := false
	if f.Text != "" {
		cond, vals, rare, err := d.found(ctx, f.Text)
		if err != nil {
			return "", nil, err
		}
		add(cond, vals...)
		few = rare
	}
	narrow := f.narrowings()
	if few, err = d.sift(ctx, f, narrow, few); err != nil {
		return "", nil, err
	}
	for _, n := range narrow {
		add(n.cond(), n.vals...)
	}
	if f.Missing != "" {
		add("id IN (SELECT person FROM brake_missing WHERE brake = ?)", string(f.Missing))
	}
	if !f.Within.AllPeople() {
		q += " AND " + within(f.Within, "person", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		})
	}
	if !f.Since.IsZero() {
		add("managed = 1 AND id IN (SELECT id FROM person WHERE status = ? UNION ALL SELECT id FROM person WHERE starts > ?) AND status || '' IN (?, ?)",
			string(dayone.PreHire), micros(f.Since), string(dayone.PreHire), string(dayone.Working))
	}
	order := f.order(few, add)
	if !f.Since.IsZero() {
		order = "+starts, search, id" // signs, so that no index is taken for these: few are found and sorted, everybody there is would be gone through
	}
	args = append(args, f.Limit)
	return q + fmt.Sprintf(" ORDER BY %s LIMIT $%d", order, len(args)), args, nil
}

func like(s string) string { return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s) }

// CountPeople counts by status, those of a scope.
func (d *DB) CountPeople(ctx context.Context, scope dayone.Scope) (map[dayone.Status]int, error) {
	if !scope.AllPeople() {
		return d.countWithin(ctx, scope)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT status, COUNT(*) FROM person WHERE key_box <> '' AND merged = '' GROUP BY status`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.Status]int{}
	for rows.Next() {
		var s dayone.Status
		var n int
		if err := rows.Scan(&s, &n); err != nil {
			return nil, err
		}
		out[s] = n
	}
	delete(out, unlisted)
	return out, rows.Err()
}

func (d *DB) countWithin(ctx context.Context, scope dayone.Scope) (map[dayone.Status]int, error) {
	var args []any
	where := within(scope, "person", "", func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	})
	out, err := counted[dayone.Status](ctx, d, `SELECT status, COUNT(*) FROM person WHERE key_box <> '' AND merged = '' AND `+where+` GROUP BY status`, args...)
	delete(out, unlisted)
	return out, err
}

// Departments that anybody of a scope is in, sorted.
func (d *DB) Departments(ctx context.Context, scope dayone.Scope) ([]string, error) {
	q := `WITH RECURSIVE one (name) AS (
		SELECT MIN(department) FROM person WHERE department > ''
		UNION ALL SELECT (SELECT MIN(department) FROM person WHERE department > one.name) FROM one WHERE one.name IS NOT NULL
		) SELECT name FROM one WHERE name IS NOT NULL` // from one to the next, however many are in it
	var args []any
	if !scope.AllPeople() {
		q = `SELECT DISTINCT department FROM person WHERE department <> '' AND ` + within(scope, "person", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}) + ` ORDER BY department`
	}
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanText)
}

// Due are people who are to be planned again by themselves, the earliest first.
func (d *DB) Due(ctx context.Context, now time.Time, limit int) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id FROM person WHERE (wake > 0 AND wake <= $1 OR unveil > 0 AND unveil <= $1) AND key_box <> '' AND merged = '' ORDER BY wake LIMIT $2`, micros(now), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.PersonID
	for rows.Next() {
		var p dayone.PersonID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// NextWake is the earliest instant at which somebody is to be planned again; zero: none.
func (d *DB) NextWake(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(at) FROM (SELECT MIN(wake) AS at FROM person WHERE wake > 0 AND key_box <> '' AND merged = '' UNION ALL SELECT MIN(unveil) FROM person WHERE unveil > 0 AND key_box <> '' AND merged = '') AS next`).Scan(&us)
	return instant(us.Int64), err
}

// Buddies counts how often each mail address is somebody's buddy among those who start after an instant.
func (d *DB) Buddies(ctx context.Context, since time.Time) (map[string]int, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT buddy, COUNT(*) FROM person WHERE starts >= $1 AND buddy <> '' GROUP BY buddy`, micros(since))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var b string
		var n int
		if err := rows.Scan(&b, &n); err != nil {
			return nil, err
		}
		out[b] = n
	}
	return out, rows.Err()
}
