package sql

import (
	"context"
	"errors"
	"strconv"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"

	"github.com/dayone-hq/dayone"
)

// What somebody does about a refusal.
const (
	renew  = "look whether the password of the user has expired or was changed and put the new one into the settings, and whether the server lets this user in from here, with or without tls"
	allow  = "let the database's administrator grant the user what the definition reads and writes, and no more"
	mend   = "mend the statement in the definition"
	create = "look at the setting database"
)

// fault gives a database's error its kind. Its words are the database's message, without the values that PostgreSQL adds.
func (d *database) fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	f := &dayone.Fault{System: d.system, Op: op, Err: dayone.ErrUnavailable} // a connection that is lost or was never there
	var pg *pgconn.PgError
	var my *mysqldriver.MySQLError
	var lite *sqlitedriver.Error
	switch {
	case errors.As(err, &pg):
		f.Code, f.Detail = pg.Code, pg.Message
		f.Next, f.Err = ofPostgres(pg.Code)
	case errors.As(err, &my):
		f.Code, f.Detail = strconv.Itoa(int(my.Number)), my.Message
		f.Next, f.Err = ofMySQL(my.Number)
	case errors.As(err, &lite):
		f.Code, f.Detail = strconv.Itoa(lite.Code()), lite.Error()
		f.Next, f.Err = ofSQLite(lite.Code(), lite.Error())
	case strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:"):
		f.Err, f.Detail, f.Next = dayone.ErrInvalid, "its certificate is not trusted: "+err.Error(), "put the authority's certificate into the setting ca"
	case strings.Contains(err.Error(), "sql: converting argument"), strings.Contains(err.Error(), "failed to encode"):
		f.Err, f.Detail, f.Next = dayone.ErrInvalid, "a value does not fit its column", mend
	default:
		f.Detail = "the connection failed: " + cause(err)
	}
	return f
}

// cause is the last part of an error: what comes before it holds address and user.
func cause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// ofPostgres: https://www.postgresql.org/docs/current/errcodes-appendix.html
func ofPostgres(code string) (next string, kind error) {
	switch {
	case strings.HasPrefix(code, "28"):
		return renew, dayone.ErrAuth
	case code == "42501":
		return allow, dayone.ErrForbidden
	case code == "23505", code == "23P01":
		return "", dayone.ErrConflict
	case code == "3D000":
		return create, dayone.ErrInvalid
	case strings.HasPrefix(code, "42"):
		return mend, dayone.ErrInvalid
	case code == "25006":
		return "it only reads here: a statement that reads must not change anything, and a standby takes no changes", dayone.ErrInvalid
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "40"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "55"),
		strings.HasPrefix(code, "57"), strings.HasPrefix(code, "58"), strings.HasPrefix(code, "XX"):
		return "", dayone.ErrUnavailable
	}
	return "", dayone.ErrInvalid // what a check, a trigger or a type does not take
}

// ofMySQL: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
func ofMySQL(number uint16) (next string, kind error) {
	switch number {
	case 1045, 1698, 1862, 3118, 4151:
		return renew, dayone.ErrAuth
	case 1044, 1142, 1143, 1227, 1370:
		return allow, dayone.ErrForbidden
	case 1062, 1586:
		return "", dayone.ErrConflict
	case 1049:
		return create, dayone.ErrInvalid
	case 1054, 1064, 1146, 1149, 1305:
		return mend, dayone.ErrInvalid
	case 1792:
		return "it only reads here: a statement that reads must not change anything", dayone.ErrInvalid
	case 1040, 1053, 1129, 1203, 1205, 1206, 1213, 1226, 1290, 1836, 1927, 1969, 3024:
		return "", dayone.ErrUnavailable
	}
	return "", dayone.ErrInvalid
}

// ofSQLite: https://www.sqlite.org/rescode.html. The extended code has the primary one in its last byte.
func ofSQLite(code int, text string) (next string, kind error) {
	switch code {
	case 2067, 1555, 2579:
		return "", dayone.ErrConflict
	}
	switch code & 0xff {
	case 5, 6, 10, 13, 15:
		return "", dayone.ErrUnavailable
	case 14:
		return create, dayone.ErrUnavailable
	case 8:
		if strings.Contains(text, "attempt to write a readonly database") {
			return "a statement that reads must not change anything, and the user of the server has to have the right to write the file", dayone.ErrForbidden
		}
		return allow, dayone.ErrForbidden
	case 3, 23:
		return allow, dayone.ErrForbidden
	case 1:
		return mend, dayone.ErrInvalid
	}
	return "", dayone.ErrInvalid
}
