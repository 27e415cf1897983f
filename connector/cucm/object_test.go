package cucm_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func TestThreeStates(t *testing.T) {
	t.Parallel()
	o := cucm.Line.New().Set("description", "Sarah").Clear("alertingName")
	for path, want := range map[string]cucm.State{"description": cucm.Set, "alertingName": cucm.Clear, "voiceMailProfileName": cucm.Leave} {
		if got := o.State(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if o.Leave("description").State("description") != cucm.Leave {
		t.Error("what is left is still written")
	}
	if o.Err() != nil {
		t.Error(o.Err())
	}
}

// TestWrongObjects: what AXL would refuse, or understand otherwise, does not leave the house.
func TestWrongObjects(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*cucm.Object{
		"no such element":  cucm.User.New().Set("nickname", "Sasha"),
		"no such below":    cucm.User.New().Set("pinCredentials/pin", "1"),
		"shown only":       cucm.User.New().Set("status", "1"),
		"an empty boolean": cucm.User.New().Clear("enableCti"),
		"no boolean":       cucm.User.New().Set("enableCti", "yes"),
		"one of a list":    cucm.User.New().Set("associatedDevices/device", "SEP1"),
		"text for a list":  cucm.Phone.New().Set("lines", "2101"),
		"no lines":         cucm.Phone.New().Put("lines"),
		"a stranger":       cucm.User.New().Put("associatedGroups", cucm.Leaf("device", "SEP1")),
	} {
		if !errors.Is(o.Err(), dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, o.Err())
		}
	}
	b := open(t, cucmsim.New(sim.Options{}))
	b.sim.Door().Forget()
	if _, err := b.cluster.Add(t.Context(), cucm.User.New().Set("userid", "x")); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "lastName") {
		t.Errorf("without a last name: %v", err)
	}
	if err := b.cluster.Update(t.Context(), cucm.By("SEP1"), cucm.Phone.New().Set("product", "Cisco 7841")); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("a phone becomes another model: %v", err)
	}
	if n := b.sent(""); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestOrder: elements are set in any order, and leave in the cluster's.
func TestOrder(t *testing.T) {
	t.Parallel()
	b := open(t, cucmsim.New(sim.Options{}))
	o := cucm.User.New().Set("telephoneNumber", "1").Set("pinCredentials/pinCredUserMustChange", "true").Set("userid", "schen").Set("pin", "483920").Set("presenceGroupName", "Standard Presence group").
		Set("lastName", "Chen").Set("firstName", "Sarah")
	if _, err := b.cluster.Add(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	body := string(b.sim.Door().Requests()[0].Body)
	at := -1
	for _, name := range []string{"<firstName>", "<lastName>", "<userid>", "<pin>", "<presenceGroupName>", "<pinCredentials>", "<telephoneNumber>"} {
		i := strings.Index(body, name)
		if i < at {
			t.Errorf("%s stands too early in %s", name, body)
		}
		at = i
	}
}

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	o := cucm.User.New().Set("pin", "483920").Set("password", "hunter2hunter2").Set("lastName", "Chen")
	if s := o.String(); strings.Contains(s, "483920") || strings.Contains(s, "hunter2") || !strings.Contains(s, "Chen") {
		t.Error(s)
	}
}

// editable are elements that hold free text, by kind, and what makes an object of it.
var editable = map[string]struct {
	kind  *cucm.Kind
	paths []string
	make  func() *cucm.Object
	key   cucm.Key
}{
	"user": {cucm.User, []string{"firstName", "lastName", "displayName", "mailid", "department", "manager", "title", "telephoneNumber", "homeNumber", "mobileNumber", "associatedPc"}, func() *cucm.Object {
		return cucm.User.New().Set("userid", "u").Set("lastName", "L").Set("presenceGroupName", "Standard Presence group").
			Put("associatedGroups", cucm.Group("userGroup", cucm.Leaf("name", "Standard CTI Enabled"))).Set("pinCredentials/pinCredUserMustChange", "true")
	}, cucm.By("u")},
	"line": {cucm.Line, []string{"description", "alertingName", "callForwardAll/destination", "callForwardNoAnswer/destination", "aarDestinationMask", "parkMonForwardNoRetrieveDn"}, func() *cucm.Object {
		return cucm.Line.New().Set("pattern", `\+14085552101`).Set("usage", "Device").Set("routePartitionName", "DN_PT").Set("callForwardAll/forwardToVoiceMail", "false").
			Set("callForwardAll/callingSearchSpaceName", "LINE_INTERNAL_CSS").Set("callForwardAll/secondaryCallingSearchSpaceName", "").Set("callForwardNoAnswer/forwardToVoiceMail", "true").
			Set("callForwardNoAnswer/callingSearchSpaceName", "LINE_INTERNAL_CSS").Set("callForwardNoAnswer/duration", "20")
	}, cucm.By(`\+14085552101`, "DN_PT")},
	"phone": {cucm.Phone, []string{"description", "loadInformation", "authenticationUrl", "idleUrl", "digestUser"}, func() *cucm.Object {
		return device(cucm.Phone.New(), "SEP001122334455", "Phone").Set("devicePoolName", "SFO_DP").Set("commonPhoneConfigName", "Standard Common Phone Profile").
			Set("locationName", "Hub_None").Set("useTrustedRelayPoint", "Default").Set("primaryPhoneName", "").Set("builtInBridgeStatus", "Default").Set("packetCaptureMode", "None").
			Set("certificateOperation", "No Pending Operation").Set("deviceMobilityMode", "Default").Put("vendorConfig", cucm.Leaf("videoCapability", "1"), cucm.Leaf("ciscoCamera", "0"))
	}, cucm.By("SEP001122334455")},
	"deviceProfile": {cucm.DeviceProfile, []string{"description", "mlppDomainId"}, func() *cucm.Object {
		return device(cucm.DeviceProfile.New(), "UDP-u", "Device Profile")
	}, cucm.By("UDP-u")},
	"remoteDestinationProfile": {cucm.RemoteDestinationProfile, []string{"description"}, func() *cucm.Object {
		return cucm.RemoteDestinationProfile.New().Set("name", "RDP-u").Set("product", "Remote Destination Profile").Set("class", "Remote Destination Profile").Set("protocol", "Remote Destination").
			Set("protocolSide", "User").Set("devicePoolName", "SFO_DP").Set("callInfoPrivacyStatus", "Default").Set("userId", "u").Put("lines", appearance(1), appearance(2))
	}, cucm.By("RDP-u")},
}

func device(o *cucm.Object, name, class string) *cucm.Object {
	return o.Set("name", name).Set("product", "Cisco 8845").Set("class", class).Set("protocol", "SIP").Set("protocolSide", "User").Set("phoneTemplateName", "Standard 8845 SIP").Put("lines", appearance(1), appearance(2))
}

func appearance(index int) *cucm.Element {
	return cucm.Group("line", cucm.Leaf("index", fmt.Sprint(index)), cucm.Leaf("label", "Sarah & <b>Söhne</b>"), cucm.Leaf("display", " Sarah  Chen "),
		cucm.Group("dirn", cucm.Leaf("pattern", fmt.Sprintf("210%d", index)), cucm.Leaf("routePartitionName", "DN_PT")), cucm.Leaf("e164Mask", "+1408555210X"), cucm.Leaf("maxNumCalls", "6"), cucm.Leaf("busyTrigger", "3"))
}

// stocked is a cluster with one object of each kind.
func stocked(t *testing.T) *bench {
	t.Helper()
	b := open(t, cucmsim.New(sim.Options{Page: 50}))
	for _, n := range []string{"2101", "2102"} {
		if _, err := b.cluster.Add(t.Context(), cucm.Line.New().Set("pattern", n).Set("usage", "Device").Set("routePartitionName", "DN_PT")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"user", "line", "phone", "deviceProfile", "remoteDestinationProfile"} {
		if _, err := b.cluster.Add(t.Context(), editable[name].make()); err != nil {
			t.Fatalf("adding %s: %v", name, err)
		}
	}
	return b
}

// TestChangeOneThing: whatever one element becomes, all others stay byte for byte, in the object and in every other.
func TestChangeOneThing(t *testing.T) {
	t.Parallel()
	for name, e := range editable {
		b := stocked(t)
		texts := rapid.OneOf(rapid.StringMatching(`[ -~]{0,30}`), rapid.StringMatching(`[äßŁ山نéø" '<>&]{1,12}`), rapid.Just(""), rapid.Just(" a\tb\r\nc "))
		rapid.Check(t, func(r *rapid.T) {
			path, text := rapid.SampledFrom(e.paths).Draw(r, "path"), texts.Draw(r, "text")
			if path == "lastName" && text == "" {
				text = "-"
			}
			before := b.sim.Snapshot()
			was, is, err := b.cluster.Change(t.Context(), e.kind, e.key, func(o *cucm.Object) error {
				o.Set(path, text)
				return o.Err()
			})
			if err != nil {
				r.Fatalf("%s %s = %q: %v", name, path, text, err)
			}
			if is.Value(path) != text {
				r.Fatalf("%s reads back as %q, want %q", path, is.Value(path), text)
			}
			top, _, _ := strings.Cut(path, "/")
			for _, k := range was.Kids {
				if k.Name != top && fmt.Sprint(is.All(k.Name)) != fmt.Sprint(was.All(k.Name)) {
					r.Fatalf("%s changes with %s: %v -> %v", k.Name, path, was.All(k.Name), is.All(k.Name))
				}
			}
			after := b.sim.Snapshot()
			if d := differences(before, after); len(d) > 1 || len(d) == 1 && !strings.HasPrefix(d[0], name+" ") {
				r.Fatalf("with %s of %s these changed: %v", path, name, d)
			}
			for n, text := range after { // in the cluster's own words: without the element the object is what it was
				if without(text, top) != without(before[n], top) {
					r.Fatalf("beside %s this changed:\n%s\n%s", path, before[n], text)
				}
			}
		})
	}
}

// without cuts an element at the first level out of an object's text.
func without(text, name string) string {
	i := strings.Index(text, "<"+name+">")
	j := strings.LastIndex(text, "</"+name+">")
	if i < 0 || j < i {
		return text
	}
	return text[:i] + text[j+len(name)+3:]
}

// TestListsAreKeptWhole: one line of a phone gets another label; the other fields of it, and the other line, stay.
func TestListsAreKeptWhole(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"phone", "deviceProfile", "remoteDestinationProfile"} {
		b := stocked(t)
		e := editable[name]
		was, is, err := b.cluster.Change(t.Context(), e.kind, e.key, func(o *cucm.Object) error {
			ls := o.All("lines/line")
			ls[1].At("label").Text = "second"
			o.Put("lines", ls...)
			return o.Err()
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		one, two := is.All("lines/line")[0], is.All("lines/line")[1]
		if one.String() != was.All("lines/line")[0].String() {
			t.Errorf("%s: the first line was %v and is %v", name, was.All("lines/line")[0], one)
		}
		if two.Value("label") != "second" || two.Value("maxNumCalls") != "6" || two.Value("e164Mask") != "+1408555210X" || two.Value("busyTrigger") != "3" || two.Value("display") != " Sarah  Chen " {
			t.Errorf("%s: the second line is %v", name, two)
		}
	}
}

// TestLivingPhone: a line of a phone that others made keeps the id by which applications know it, and what the cluster only
// shows is not sent back.
func TestLivingPhone(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	before := b.sim.Snapshot()
	was, is, err := b.cluster.Change(t.Context(), cucm.Phone, cucm.By("SEP001122302102"), func(o *cucm.Object) error {
		ls := o.All("lines/line")
		ls[1].At("label").Text = "Boss"
		o.Put("lines", ls...)
		return o.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := differences(before, b.sim.Snapshot()); len(d) != 1 || d[0] != "phone SEP001122302102" {
		t.Errorf("changed: %v", d)
	}
	for i, l := range is.All("lines/line") {
		if then := was.All("lines/line")[i]; l.CTI == "" || l.CTI != then.CTI || l.Value("dirn/pattern") != then.Value("dirn/pattern") || l.Value("associatedEndusers/enduser/userId") != then.Value("associatedEndusers/enduser/userId") {
			t.Errorf("line %d was %v and is %v", i, then, l)
		}
	}
}

// TestNothingToChange writes nothing.
func TestNothingToChange(t *testing.T) {
	t.Parallel()
	b := stocked(t)
	if _, _, err := b.cluster.Change(t.Context(), cucm.User, cucm.By("u"), func(o *cucm.Object) error { o.Set("lastName", "L"); return o.Err() }); err != nil || b.sent("update") != 0 {
		t.Errorf("%d updates, %v", b.sent("update"), err)
	}
}

// TestVersions: one codec for every release, and a release that the cluster does not have says so.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"12.5", "14.0", "15.0"} {
		b := open(t, cucmsim.New(sim.Options{}), "version", v)
		b.sim.Release(v)
		if err := b.guard.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		b.do(b.create())
	}
	b := open(t, cucmsim.New(sim.Options{}), "version", "15.0")
	b.sim.Release("12.5")
	if err := b.guard.Check(t.Context()); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(fmt.Sprintf("%+v", detail(err)), "set version") {
		t.Errorf("an old cluster says %v", err)
	}
}

func detail(err error) string {
	var f *dayone.Fault
	if errors.As(err, &f) {
		return f.Detail
	}
	return ""
}

func TestKinds(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(editable))
	if len(names) != 5 || cucm.LDAPDirectory == nil {
		t.Errorf("the property knows %v", names)
	}
}
