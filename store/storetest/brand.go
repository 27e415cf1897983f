package storetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// How a company looks is kept as versions, of which nobody overwrites another's.
func brands(t *testing.T, d *store.DB) {
	ctx := t.Context()
	if b := must[dayone.Brand](t)(d.Brand(ctx)); b.Seq != 0 {
		t.Fatalf("there is %+v", b)
	}
	first := dayone.Brand{Seq: 1, Company: "Ærø", Logo: []byte{0, 255, 1}, LogoType: "image/png", At: at, By: "kim", Note: "company name"}
	if err := d.AddBrand(ctx, first, dayone.Record{At: at, What: "branding changed", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	if err := d.AddBrand(ctx, dayone.Brand{Seq: 1, Company: "late", At: at}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("overwritten: %v", err)
	}
	if err := d.AddBrand(ctx, dayone.Brand{Seq: 2, Company: "B", At: at}); err != nil {
		t.Fatal(err)
	}
	got := must[dayone.Brand](t)(d.BrandOf(ctx, 1))
	if got.Company != "Ærø" || !bytes.Equal(got.Logo, first.Logo) || !got.At.Equal(at) || got.By != "kim" {
		t.Errorf("kept is %+v", got)
	}
	if all := must[[]dayone.Brand](t)(d.Brands(ctx, 10)); len(all) != 2 || all[0].Seq != 2 || must[dayone.Brand](t)(d.Brand(ctx)).Company != "B" {
		t.Errorf("all are %+v", all)
	}
	if _, err := d.BrandOf(ctx, 7); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("one that is not: %v", err)
	}
}
