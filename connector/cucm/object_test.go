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
	b := open(t, cast(sim.Options{}))
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
	b := open(t, cast(sim.Options{}))
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
	"jabber": {cucm.Phone, []string{"description", "loadInformation", "digestUser"}, func() *cucm.Object {
		return device(cucm.Phone.New(), "CSFU", "Phone").Set("product", "Cisco Unified Client Services Framework").Set("phoneTemplateName", "Standard Client Services Framework").Set("devicePoolName", "SFO_DP").
			Set("commonPhoneConfigName", "Standard Common Phone Profile").Set("locationName", "Hub_None").Set("useTrustedRelayPoint", "Default").Set("primaryPhoneName", "").Set("builtInBridgeStatus", "Default").
			Set("packetCaptureMode", "None").Set("certificateOperation", "No Pending Operation").Set("deviceMobilityMode", "Default").Set("ownerUserName", "u")
	}, cucm.By("CSFU")},
	"remoteDestination": {cucm.RemoteDestination, []string{"name", "answerTooSoonTimer"}, func() *cucm.Object {
		return cucm.RemoteDestination.New().Set("name", "Sarah's mobile").Set("destination", "+14155550100").Set("answerTooSoonTimer", "1500").Set("answerTooLateTimer", "19000").Set("delayBeforeRingingCell", "4000").
			Set("ownerUserId", "u").Set("enableUnifiedMobility", "true").Set("remoteDestinationProfileName", "RDP-u").Set("isMobilePhone", "true").Set("enableMobileConnect", "true").
			Put("lineAssociations", cucm.Group("lineAssociation", cucm.Leaf("pattern", "3101"), cucm.Leaf("routePartitionName", "DN_PT"))).
			Put("ringSchedule", cucm.Group("member", cucm.Leaf("startTime", "08:00"), cucm.Leaf("endTime", "18:00"), cucm.Leaf("startDay", "Monday"), cucm.Leaf("endDay", "Friday")))
	}, cucm.By("+14155550100")},
	"userGroup": {cucm.UserGroup, []string{"name"}, func() *cucm.Object {
		return cucm.UserGroup.New().Set("name", "Helpers").Put("members", cucm.Group("member", cucm.Leaf("userId", "u"))).Put("userRoles", cucm.Group("userRole", cucm.Leaf("roleName", "Standard CTI Enabled")))
	}, cucm.By("Helpers")},
	"ldapFilter": {cucm.LDAPFilter, []string{"name", "filter"}, func() *cucm.Object {
		return cucm.LDAPFilter.New().Set("name", "staff").Set("filter", "(&(objectClass=user)(employeeID=*))")
	}, cucm.By("staff")},
	"ldapDirectory": {cucm.LDAPDirectory, []string{"name", "ldapDn", "userSearchBase", "mask"}, func() *cucm.Object {
		return cucm.LDAPDirectory.New().Set("name", "corp-ad-2").Set("ldapDn", "svc@corp.example").Set("ldapPassword", "Agreement-Passw0rd").Set("userSearchBase", "OU=People,DC=corp,DC=example").Set("repeatable", "true").
			Set("intervalValue", "1").Set("scheduleUnit", "DAY").Set("nextExecTime", "2026-11-03 03:15").Set("middleName", "initials").Set("phoneNumber", "ipPhone").Set("mailId", "mail").Set("ldapFilter", "staff").
			Put("servers", cucm.Group("server", cucm.Leaf("hostName", "dc1.corp.example"), cucm.Leaf("ldapPortNumber", "636"), cucm.Leaf("sslEnabled", "true"))).Set("applyMask", "false").
			Put("accessControlGroupInfo", cucm.Group("accessControlGroupName", cucm.Leaf("accessControlGroup", "Helpers")))
	}, cucm.By("corp-ad-2")},
}

// order is the one in which objects can be made: what is named comes first.
var order = []string{"user", "line", "phone", "jabber", "deviceProfile", "remoteDestinationProfile", "remoteDestination", "userGroup", "ldapFilter", "ldapDirectory"}

// numbers are elements that hold no text.
var numbers = map[string]bool{"answerTooSoonTimer": true}

// chosen are elements that hold no free text, with what they may hold: true or false, one of an enumeration, what names another object.
var chosen = map[string]map[string][]string{
	"user": {
		"enableCti": yesNo, "enableMobility": yesNo, "homeCluster": yesNo, "pinCredentials/pinCredDoesNotExpire": yesNo, "passwordCredentials/pwdCredUserCantChange": yesNo,
		"subscribeCallingSearchSpaceName": spaces, "patternPrecedence": {"Default", "Flash", "Routine"},
	},
	"line": {
		"active": yesNo, "callForwardNoAnswer/forwardToVoiceMail": yesNo, "shareLineAppearanceCssName": spaces, "callForwardAll/callingSearchSpaceName": spaces,
		"patternPrecedence": {"Default", "Immediate", "Priority"}, "cfaCssPolicy": {"Use System Default", "With Configured CSS"},
	},
	"phone": {
		"devicePoolName": {"SFO_DP", "BER_DP"}, "callingSearchSpaceName": {"DEVICE_SFO_CSS", "LINE_INTERNAL_CSS"}, "builtInBridgeStatus": onOff, "useTrustedRelayPoint": onOff, "deviceMobilityMode": onOff,
		"dndOption": {"Ringer Off", "Call Reject"}, "ownerUserName": {"u", ""},
	},
	"jabber":                   {"devicePoolName": {"SFO_DP", "BER_DP"}, "singleButtonBarge": onOff, "dndStatus": yesNo},
	"deviceProfile":            {"singleButtonBarge": onOff, "joinAcrossLines": onOff, "dndStatus": yesNo},
	"remoteDestinationProfile": {"devicePoolName": {"SFO_DP", "BER_DP"}, "callInfoPrivacyStatus": onOff, "dndStatus": yesNo},
	"remoteDestination":        {"enableMobileConnect": yesNo, "enableUnifiedMobility": yesNo},
	"ldapDirectory":            {"scheduleUnit": {"HOUR", "DAY", "WEEK"}},
}

var (
	yesNo  = []string{"true", "false"}
	onOff  = []string{"On", "Off", "Default"}
	spaces = []string{"LINE_INTERNAL_CSS", "LINE_INTERNATIONAL_CSS"}
)

// named are elements by which others know an object: they follow, and nothing else of them changes.
var named = map[string][]string{"userGroup/name": {"user", "ldapDirectory"}, "ldapFilter/name": {"ldapDirectory"}}

func device(o *cucm.Object, name, class string) *cucm.Object {
	return o.Set("name", name).Set("product", "Cisco 8845").Set("class", class).Set("protocol", "SIP").Set("protocolSide", "User").Set("phoneTemplateName", "Standard 8845 SIP").Put("lines", appearance(1), appearance(2))
}

func appearance(index int) *cucm.Element {
	return cucm.Group("line", cucm.Leaf("index", fmt.Sprint(index)), cucm.Leaf("label", "Sarah & <b>Söhne</b>"), cucm.Leaf("display", " Sarah  Chen "),
		cucm.Group("dirn", cucm.Leaf("pattern", fmt.Sprintf("310%d", index)), cucm.Leaf("routePartitionName", "DN_PT")), cucm.Leaf("e164Mask", "+1408555210X"), cucm.Leaf("maxNumCalls", "6"), cucm.Leaf("busyTrigger", "3"))
}

// stocked is a cluster with one object of each kind.
func stocked(t *testing.T) *bench {
	t.Helper()
	b := open(t, cast(sim.Options{Page: 50}))
	for _, n := range []string{"3101", "3102"} {
		if _, err := b.cluster.Add(t.Context(), cucm.Line.New().Set("pattern", n).Set("usage", "Device").Set("routePartitionName", "DN_PT")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range order {
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
		b, key := stocked(t), e.key
		texts := rapid.OneOf(rapid.StringMatching(`[ -~]{0,30}`), rapid.StringMatching(`[äßŁ山نéø" '<>&]{1,12}`), rapid.Just(""), rapid.Just(" a\tb\r\nc "))
		rapid.Check(t, func(r *rapid.T) {
			path, text := rapid.SampledFrom(slices.Concat(e.paths, slices.Sorted(maps.Keys(chosen[name])))).Draw(r, "path"), texts.Draw(r, "text")
			if these := chosen[name][path]; these != nil {
				text = rapid.SampledFrom(these).Draw(r, "one of")
			}
			if text == "" && (path == "lastName" || path == "name" || path == "filter") {
				text = "-"
			}
			if numbers[path] {
				text = fmt.Sprint(rapid.IntRange(0, 5000).Draw(r, "number"))
			}
			before := b.sim.Snapshot()
			was, is, err := b.cluster.Change(t.Context(), e.kind, key, func(o *cucm.Object) error {
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
			key = cucm.Key{UUID: is.UUID}
			after := b.sim.Snapshot()
			for _, d := range differences(before, after) {
				if kind, _, _ := strings.Cut(d, " "); kind != e.kind.Name && !slices.Contains(named[name+"/"+path], kind) {
					r.Fatalf("with %s of %s this changed: %s", path, name, d)
				}
			}
			was1, is1 := without(of(before, e.kind.Name, is.UUID), top), without(of(after, e.kind.Name, is.UUID), top)
			if was1 != is1 || was1 == "" { // in the cluster's own words: without the element the object is what it was
				r.Fatalf("beside %s this changed:\n%s\n%s", path, was1, is1)
			}
		})
	}
}

// of is the text of an object by its id: names change.
func of(snapshot map[string]string, kind, uuid string) string {
	for name, text := range snapshot {
		if strings.HasPrefix(name, kind+" ") && strings.Contains(text, uuid) {
			return text
		}
	}
	return ""
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
	b.ref("aassist")
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
		b := open(t, cast(sim.Options{}), "version", v, "local_users", "true")
		b.sim.Release(v)
		if err := b.guard.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		b.do(b.create())
	}
	for _, has := range [][]string{{"12.5"}, {"14.0", "12.5"}, {"15.0", "14.0"}} {
		b := open(t, cast(sim.Options{}), "version", "auto", "local_users", "true")
		b.sim.Release(has...)
		if err := b.guard.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", has, err)
		}
		b.do(b.create())
		rs := b.sim.Door().Requests()
		if got := rs[len(rs)-1].Header.Get("SOAPAction"); !strings.Contains(got, "ver="+has[0]+" ") {
			t.Errorf("a cluster that has %v is asked by %s", has, got)
		}
		if n := b.sent("getCCMVersion"); n > len([]string{"15.0", "14.0", "12.5"})+2 {
			t.Errorf("its version is asked for %d times", n)
		}
	}
	b := open(t, cast(sim.Options{}), "version", "15.0", "local_users", "true")
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
	if len(names) != len(order) {
		t.Errorf("the property knows %v", names)
	}
	held := map[*cucm.Kind]bool{}
	for _, e := range editable {
		held[e.kind] = true
	}
	for _, k := range cucm.Kinds() {
		if !held[k] {
			t.Errorf("no test changes one thing of %s and looks at the rest", k.Name)
		}
	}
}
