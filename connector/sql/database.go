package sql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Databases that are understood.
const (
	postgres = "postgres"
	mysql    = "mysql"
	sqlite   = "sqlite"
)

// database is one that is open. What only reads cannot write.
type database struct {
	system, driver string
	writing        *sql.DB
	reading        *sql.DB
	types          map[string]string // of attributes, as the database takes them
}

// connections at the same time: each step takes one.
const connections = 8

func open(cfg connector.Config) (*database, error) {
	d := &database{system: cfg.System, driver: cfg.Settings["driver"]}
	var err error
	switch d.driver {
	case sqlite:
		err = d.file(cfg.Settings["database"])
	case mysql:
		err = d.mysql(cfg)
	default:
		err = d.postgres(cfg)
	}
	if err != nil {
		return nil, err
	}
	for _, db := range []*sql.DB{d.writing, d.reading} {
		db.SetMaxOpenConns(connections)
		db.SetConnMaxIdleTime(time.Minute)
	}
	return d, nil
}

// file opens a database of SQLite that is there; none is made.
func (d *database) file(path string) (err error) {
	if !filepath.IsAbs(path) {
		return &connector.SettingError{Setting: "database", Text: "the file of a SQLite database is named from the root on", Hint: "such as /var/lib/app/app.db"}
	}
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?mode=rw&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	if d.writing, err = sql.Open("sqlite", dsn); err == nil {
		d.reading, err = sql.Open("sqlite", strings.Replace(dsn, "&_txlock=immediate", "", 1)+"&_pragma=query_only(1)")
	}
	return err
}

// server is what servers have in common.
func server(cfg connector.Config, port string) (host, at string, secure *tls.Config, err error) {
	s := cfg.Settings
	for _, name := range []string{"host", "user"} {
		if s[name] == "" {
			return "", "", nil, &connector.SettingError{Setting: name, Text: s["driver"] + " needs the setting " + name, Hint: cfg.Manifest.Settings[name].Help}
		}
	}
	host, at = s["host"], port
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, at = h, p
	}
	if s["tls"] == "off" {
		return host, at, nil, nil
	}
	secure = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s["ca"] != "" {
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM([]byte(s["ca"])) {
			return "", "", nil, &connector.SettingError{Setting: "ca", Text: "setting ca holds no certificate", Hint: "write ${file:ca.pem}"}
		}
	}
	return host, at, secure, nil
}

func (d *database) postgres(cfg connector.Config) error {
	host, port, secure, err := server(cfg, "5432")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return &connector.SettingError{Setting: "host", Text: "the port is no number", Hint: "such as db.acme.com:5432"}
	}
	c, err := pgx.ParseConfig("sslmode=disable application_name=dayone") // whatever else the environment says is overwritten
	if err != nil {
		return fmt.Errorf("reading the address of the database: %w", dayone.ErrInvalid)
	}
	c.Host, c.Port, c.User, c.Database, c.Password = host, uint16(n), cfg.Settings["user"], cfg.Settings["database"], cfg.Secrets["password"].Reveal()
	c.TLSConfig, c.Fallbacks = secure, nil
	d.writing = stdlib.OpenDB(*c)
	d.reading = d.writing
	return nil
}

func (d *database) mysql(cfg connector.Config) error {
	host, port, secure, err := server(cfg, "3306")
	if err != nil {
		return err
	}
	c := mysqldriver.NewConfig()
	c.Net, c.Addr, c.TLS = "tcp", net.JoinHostPort(host, port), secure
	c.User, c.Passwd, c.DBName = cfg.Settings["user"], cfg.Secrets["password"].Reveal(), cfg.Settings["database"]
	c.ParseTime, c.ClientFoundRows, c.Logger = true, true, &mysqldriver.NopLogger{} // a row that is as it should be was found all the same
	with, err := mysqldriver.NewConnector(c)
	if err != nil {
		return fmt.Errorf("reading the address of the database: %w", dayone.ErrInvalid)
	}
	d.writing = sql.OpenDB(with)
	d.reading = d.writing
	return nil
}

// values are what parameters may name: attributes, and what the statement itself is about.
type values map[string]dayone.Value

// row is what a query shows of one thing, by the name of its column in small letters.
type row map[string]string

// column is one value. A column that a statement does not show is a slip in the definition.
func (r row) column(name string) (string, bool) {
	text, ok := r[strings.ToLower(name)]
	return text, ok
}

// args are the parameters of a statement; what nobody has said is NULL.
func (d *database) args(s *statement, v values) []any {
	out := make([]any, len(s.names))
	for i, name := range s.names {
		if value, ok := v[name]; ok {
			out[i] = d.arg(value, d.types[name])
		}
	}
	return out
}

// arg is a value as a driver takes it. PostgreSQL reads every type from a text.
func (d *database) arg(v dayone.Value, as string) any {
	if v.Text == "" && (as == "int" || as == "bool") {
		return nil
	}
	if d.driver == postgres {
		return v.Text
	}
	if v.Kind == dayone.BoolValue || as == "bool" {
		return v.Text == "true"
	}
	if v.Kind == dayone.IntValue || as == "int" {
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
	}
	return v.Text
}

// query reads rows; most 0 means all of them. It cannot write.
func (d *database) query(ctx context.Context, op string, s *statement, v values, most int) (out []row, columns []string, err error) {
	tx, err := d.reading.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, d.fault(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was changed
	rows, err := tx.QueryContext(ctx, s.text, d.args(s, v)...)
	if err != nil {
		return nil, nil, d.fault(ctx, op, err)
	}
	out, columns, err = scan(rows, most)
	return out, columns, d.fault(ctx, op, err)
}

func scan(rows *sql.Rows, most int) (out []row, columns []string, err error) {
	defer rows.Close()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for i := range columns {
		columns[i] = strings.ToLower(columns[i])
	}
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		r := row{}
		for i, name := range columns {
			r[name] = written(cells[i])
		}
		out = append(out, r)
		if most > 0 && len(out) == most {
			return out, columns, nil
		}
	}
	return out, columns, rows.Err()
}

// written is a cell in words: NULL is empty, a day is 2006-01-02, another instant RFC 3339.
func written(cell any) string {
	switch x := cell.(type) {
	case nil:
		return ""
	case []byte:
		return string(x)
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return strconv.FormatInt(int64(x), 10)
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	case time.Time:
		if u := x.UTC(); u.Equal(u.Truncate(24 * time.Hour)) {
			return u.Format(time.DateOnly)
		}
		return x.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(cell)
}

// change carries statements out in one transaction. Each has to change one row, unless it says any: none is "not found", and
// more than one is a conflict, since nobody meant several. What the first of them returns names the id for those after it.
func (d *database) change(ctx context.Context, op string, ss statements, v values, id string, loose bool) (row, error) {
	tx, err := d.writing.BeginTx(ctx, nil)
	if err != nil {
		return nil, d.fault(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	var made row
	for i, s := range ss {
		n, back, err := d.exec(ctx, tx, s, v)
		if err != nil {
			return nil, d.fault(ctx, op, err)
		}
		if made == nil && back != nil {
			made = back
			if ref, ok := back.column(id); ok && id != "" {
				v["id"] = dayone.Text(ref)
			}
		}
		if loose || s.Rows == "any" {
			continue
		}
		which := ""
		if len(ss) > 1 {
			which = fmt.Sprintf("statement %d ", i+1)
		}
		switch {
		case n == 0:
			return nil, d.refuse(op, dayone.ErrNotFound, which+"found no row; everything was rolled back")
		case n > 1:
			return nil, d.several(op, fmt.Sprintf("%swould change %d rows, and one is meant; everything was rolled back. Mend its condition, or say rows: any", which, n))
		}
	}
	return made, d.fault(ctx, op, tx.Commit())
}

func (d *database) exec(ctx context.Context, tx *sql.Tx, s *statement, v values) (int64, row, error) {
	if s.returning || slices.Contains(reads, s.verb) { // a function that does it, or what was made
		rows, err := tx.QueryContext(ctx, s.text, d.args(s, v)...)
		if err != nil {
			return 0, nil, err
		}
		out, _, err := scan(rows, 0)
		if err != nil || len(out) == 0 {
			return 0, nil, err
		}
		return int64(len(out)), out[0], nil
	}
	r, err := tx.ExecContext(ctx, s.text, d.args(s, v)...)
	if err != nil {
		return 0, nil, err
	}
	n, err := r.RowsAffected()
	return n, nil, err
}

// prepare has the database read a statement without carrying it out.
func (d *database) prepare(ctx context.Context, s *statement) error {
	p, err := d.writing.PrepareContext(ctx, s.text)
	if err != nil {
		return err
	}
	return p.Close()
}

// tooMany is the code of a change that would be of several rows.
const tooMany = "rows"

func (d *database) several(op, detail string) error {
	return &dayone.Fault{System: d.system, Op: op, Err: dayone.ErrConflict, Code: tooMany, Detail: detail}
}

// plainly is an error of a verb of which a conflict means that all is as it should be already: several rows are none of that.
func plainly(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Code != tooMany {
		return err
	}
	out := *f
	out.Err = dayone.ErrInvalid
	return &out
}

func (d *database) refuse(op string, kind error, detail string) error {
	return &dayone.Fault{System: d.system, Op: op, Err: kind, Detail: detail}
}
