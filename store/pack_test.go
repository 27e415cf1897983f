package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// boxes are those that are packed, empty.
func boxes() []packs { return []packs{&runBox{}, &stepBox{}, &holdingBox{}} }

// fill puts something into every field of v, however deep, of which no two are the same by intent: what is not packed is
// then missed. With sparse it leaves out about half.
func fill(r *rand.Rand, v reflect.Value, sparse bool) {
	if sparse && r.IntN(2) == 0 {
		return
	}
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		at := time.Unix(r.Int64N(4e9)-2e9, r.Int64N(1e9))
		if zone := r.IntN(3); zone == 0 {
			*x = at.In(time.FixedZone("", (r.IntN(48)-24)*1800))
		} else {
			*x = at.UTC()
		}
		return
	case *dayone.Value:
		*x = dayone.Text(sayings[r.IntN(len(sayings))])
		switch r.IntN(5) {
		case 0:
			*x = dayone.Int(r.Int64() - r.Int64())
		case 1:
			*x = dayone.List(sayings[r.IntN(len(sayings))], "b")
		case 2:
			*x = dayone.Value{Kind: dayone.SecretValue, Text: "password:20"}
		case 3:
			*x = dayone.Bool(true)
		}
		return
	case *dayone.Key: // its text is read back, so it must be one
		*x = dayone.Key{System: fmt.Sprint("s", r.IntN(9)), Kind: "group", Name: sayings[1+r.IntN(len(sayings)-1)]}
		return
	case *map[string]dayone.Secret:
		*x = map[string]dayone.Secret{"password": dayone.NewSecret(hidden)}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), sparse)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), sparse)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 4))
		for i := range v.Len() {
			fill(r, v.Index(i), sparse)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, k, false)
			fill(r, e, sparse)
			v.SetMapIndex(k, e)
		}
	case reflect.String:
		v.SetString(sayings[r.IntN(len(sayings))] + fmt.Sprint(r.IntN(20)))
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64()>>r.IntN(63) + 1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("no such field was packed before: " + v.Type().String())
	}
}

const hidden = "correct horse battery staple"

var sayings = []string{"", "okta", "Łukasz Żółć", "李小龍", "\"quoted\" <b>\\", "a b\nc", strings.Repeat("long ", 60), "👩‍💻"}

// asJSON is what a box was stored as before, and still reads as.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Whatever is put into a box comes out of it, as it would out of JSON: the same zones, the same nothing for nothing.
func TestEveryFieldIsPacked(t *testing.T) {
	t.Parallel()
	for _, sparse := range []bool{false, true} {
		for seed := range uint64(300) {
			r := rand.New(rand.NewPCG(seed, 1))
			for i, v := range boxes() {
				fill(r, reflect.ValueOf(v).Elem(), sparse)
				raw := packed(v)
				if strings.Contains(string(raw), hidden) {
					t.Fatal("a secret was packed")
				}
				if one, ok := v.(*stepBox); ok {
					one.Result.Secrets, one.Result.Calls, one.Result.Left = nil, nil, 0 // neither is in a box: secrets are sealed, calls have a log
				}
				var again packs = boxes()[i]
				if err := unpack(raw, again); err != nil {
					t.Fatalf("seed %d: %T: %v", seed, v, err)
				}
				if was, is := asJSON(t, v), asJSON(t, again); was != is {
					t.Fatalf("seed %d: %T was\n%s\nis\n%s", seed, v, was, is)
				}
				old := boxes()[i]
				if err := json.Unmarshal([]byte(asJSON(t, v)), old); err != nil {
					t.Fatal(err)
				}
				if was, is := asJSON(t, old), asJSON(t, again); was != is {
					t.Fatalf("seed %d: JSON gives\n%s\npacked\n%s", seed, was, is)
				}
			}
		}
	}
}

// Nothing stays nothing and empty stays empty: attributes that were said to be none are not unknown.
func TestPackedNothingIsNotEmpty(t *testing.T) {
	t.Parallel()
	b := stepBox{Asked: dayone.Attrs{}, Result: dayone.Result{Now: &dayone.Item{}, Also: []dayone.Item{}}}
	var again stepBox
	if err := unpack(packed(&b), &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(b, again) {
		t.Errorf("%#v became %#v", b, again)
	}
}

func TestWhatANewerProgramPackedIsRefused(t *testing.T) {
	t.Parallel()
	raw := packed(&stepBox{Error: "x"})
	raw[0] = packVersion + 1
	if err := unpack(raw, &stepBox{}); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("says %v", err)
	}
	for _, bad := range [][]byte{nil, {}, {0}, {packVersion}, append(packed(&stepBox{}), 0), packed(&stepBox{Error: "x"})[:8]} {
		if err := unpack(bad, &stepBox{}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%v says %v", bad, err)
		}
	}
}

// Whatever bytes a box holds, reading them ends in a value or an error of a kind, and what reads is packed to the same again.
func FuzzUnpack(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for i, v := range boxes() {
		f.Add(byte(i), packed(v))
		fill(r, reflect.ValueOf(v).Elem(), true)
		f.Add(byte(i), packed(v))
	}
	f.Add(byte(0), []byte{packVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, which byte, raw []byte) {
		i := int(which) % len(boxes())
		v := boxes()[i]
		if err := unpack(raw, v); err != nil {
			if dayone.KindOf(err) == nil {
				t.Errorf("%v is of no kind", err)
			}
			return
		}
		again := boxes()[i]
		if err := unpack(packed(v), again); err != nil {
			t.Fatalf("packed again: %v", err)
		}
		if !reflect.DeepEqual(plainTimes(v), plainTimes(again)) {
			t.Errorf("%#v became %#v", v, again)
		}
	})
}

// plainTimes prints a box, instants by what they say: zones that say the same are two pointers.
func plainTimes(v packs) string {
	raw, err := json.Marshal(v)
	if err != nil { // years beyond 9999
		return ""
	}
	return string(raw)
}

func BenchmarkPack(b *testing.B) {
	var box runBox
	for i := range 24 {
		s := dayone.Step{ID: dayone.StepID(fmt.Sprint("okta/group:g", i, " entitlement.add")), Action: dayone.EntitlementAdd, Key: dayone.Key{System: "okta", Kind: "group", Name: fmt.Sprint("g", i)}, Once: fmt.Sprint(i), Undo: dayone.UndoRestore, Critical: dayone.Stop}
		s.Want = &dayone.Item{Key: s.Key, State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text("sarah.chen@company.com"), "title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales")}}
		s.Because = []dayone.Reason{{Policy: "sales-engineer", At: "policies/sales.yaml:22", Hash: "e1baa463"}}
		box.Plan.Steps = append(box.Plan.Steps, s)
	}
	raw, old := packed(&box), []byte(asJSON(b, &box))
	for name, do := range map[string]func(){
		"pack":      func() { packed(&box) },
		"json":      func() { _, _ = json.Marshal(&box) },
		"unpack":    func() { _ = unpack(raw, &runBox{}) },
		"json back": func() { _ = json.Unmarshal(old, &runBox{}) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
	b.Log(len(raw), len(old))
}

// bare seals nothing, so that a test sees what a box holds.
type bare struct{ Sealer }

func (bare) Seal(_ string, plain []byte) (string, error) { return string(plain), nil }
func (bare) Open(_, box string) ([]byte, error)          { return []byte(box), nil }

// Boxes that an older program wrote are JSON, and still read.
func TestBoxesOfOlderProgramsStillRead(t *testing.T) {
	t.Parallel()
	d := &DB{sealer: bare{}, bodyKey: "nobody's"}
	r := rand.New(rand.NewPCG(7, 7))
	for i, v := range boxes() {
		fill(r, reflect.ValueOf(v).Elem(), false)
		if one, ok := v.(*stepBox); ok {
			one.Result.Secrets = nil
		}
		now, err := d.sealUnder("", v)
		if err != nil {
			t.Fatal(err)
		}
		if now[0] != packVersion {
			t.Errorf("%T is stored as %.20q", v, now)
		}
		for _, box := range []string{now, asJSON(t, v)} {
			again := boxes()[i]
			if there, err := d.unseal(sql.NullString{}, box, again); !there || err != nil {
				t.Fatalf("%T: %v, %v", v, there, err)
			}
			if was, is := asJSON(t, v), asJSON(t, again); was != is {
				t.Errorf("%T was\n%s\nis\n%s", v, was, is)
			}
		}
	}
}
