package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/dayone-hq/dayone"
)

const brandColumns = `seq, company, accent, night, footer, help, logo, logo_type, made, made_by, note`

func scanBrand(row interface{ Scan(...any) error }) (dayone.Brand, error) {
	var b dayone.Brand
	var logo string
	var made int64
	if err := row.Scan(&b.Seq, &b.Company, &b.Accent, &b.Night, &b.Footer, &b.Help, &logo, &b.LogoType, &made, &b.By, &b.Note); err != nil {
		return b, err
	}
	b.At = instant(made)
	if logo == "" {
		return b, nil
	}
	var err error
	if b.Logo, err = base64.StdEncoding.DecodeString(logo); err != nil {
		return b, fmt.Errorf("the logo of brand %d does not read: %w", b.Seq, err)
	}
	return b, nil
}

// Brand is how the company looks now; Seq 0: nobody has said.
func (d *DB) Brand(ctx context.Context) (dayone.Brand, error) {
	b, err := scanBrand(d.read.QueryRowContext(ctx, `SELECT `+brandColumns+` FROM brand ORDER BY seq DESC LIMIT 1`))
	if errors.Is(err, sql.ErrNoRows) {
		return dayone.Brand{}, nil
	}
	return b, err
}

// Brands are the latest ways it looked, the newest first.
func (d *DB) Brands(ctx context.Context, limit int) ([]dayone.Brand, error) {
	var out []dayone.Brand
	err := d.each(ctx, `SELECT `+brandColumns+` FROM brand ORDER BY seq DESC LIMIT $1`, []any{limit}, func(rows *sql.Rows) error {
		b, err := scanBrand(rows)
		out = append(out, b)
		return err
	})
	return out, err
}

// BrandOf is one way it looked. ErrNotFound.
func (d *DB) BrandOf(ctx context.Context, seq int64) (dayone.Brand, error) {
	b, err := scanBrand(d.read.QueryRowContext(ctx, `SELECT `+brandColumns+` FROM brand WHERE seq = $1`, seq))
	return b, notFound("brand", err)
}

// AddBrand keeps how it looks from now on. Its Seq is one more than that of what it was made of; ErrConflict: somebody else was
// faster.
func (d *DB) AddBrand(ctx context.Context, b dayone.Brand, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var last int64
		if err := t.row(`SELECT COALESCE(MAX(seq), 0) FROM brand`).Scan(&last); err != nil {
			return err
		}
		if b.Seq != last+1 {
			return fmt.Errorf("somebody else has changed it meanwhile; look at it again: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`INSERT INTO brand (`+brandColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			b.Seq, b.Company, b.Accent, b.Night, b.Footer, b.Help, base64.StdEncoding.EncodeToString(b.Logo), b.LogoType, micros(b.At), b.By, b.Note); err != nil {
			return fmt.Errorf("keeping the brand: %w", err)
		}
		return d.append(t, records)
	})
}
