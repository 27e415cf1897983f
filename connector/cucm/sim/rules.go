package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// references are the elements that name another object, and what kind of.
var references = map[string]string{
	"routePartitionName": "partition", "routePartition": "partition", "laapPartition": "partition",
	"callingSearchSpaceName": "css", "secondaryCallingSearchSpaceName": "css", "shareLineAppearanceCssName": "css", "subscribeCallingSearchSpaceName": "css",
	"rerouteCallingSearchSpaceName": "css", "automatedAlternateRoutingCssName": "css", "monitoringCssName": "css", "cgpnTransformationCssName": "css",
	"devicePoolName": "devicePool", "commonPhoneConfigName": "commonPhoneConfig", "locationName": "location", "phoneTemplateName": "phoneButtonTemplate",
	"securityProfileName": "phoneSecurityProfile", "sipProfileName": "sipProfile", "softkeyTemplateName": "softKeyTemplate", "presenceGroupName": "presenceGroup",
	"voiceMailProfileName": "voiceMailProfile", "callPickupGroupName": "callPickupGroup", "serviceProfile": "serviceProfile", "userProfile": "userProfileProvision",
	"ownerUserName": "user", "mobilityUserIdName": "user", "defaultProfile": "deviceProfile", "profileName": "deviceProfile", "primaryPhoneName": "phone",
	"device": "phone", "laapDeviceName": "phone", "ldapDirectoryName": "ldapDirectory",
	"ownerUserId": "user", "userId": "user", "remoteDestinationProfileName": "remoteDestinationProfile", "ctiRemoteDeviceName": "phone", "dualModeDeviceName": "phone",
	"ldapFilter": "ldapFilter", "ldapFilterForGroups": "ldapFilter", "accessControlGroup": "userGroup", "roleName": "role",
}

// values are those of enumerations, which the schema that clients get does not hold.
var values = map[string][]string{
	"usage": {"Device"}, "protocol": {"SIP", "SCCP", "Remote Destination"}, "protocolSide": {"User", "Network"},
	"product": {"Cisco 8845", "Cisco 7841", "Cisco Unified Client Services Framework", "Cisco Dual Mode for iPhone", "Cisco Dual Mode for Android", "Cisco Jabber for Tablet", "Remote Destination Profile"},
	"class":   {"Phone", "Device Profile", "Remote Destination Profile"}, "useTrustedRelayPoint": {"Off", "On", "Default"}, "builtInBridgeStatus": {"Off", "On", "Default"},
	"deviceMobilityMode": {"Off", "On", "Default"}, "packetCaptureMode": {"None", "Batch Processing Mode"}, "certificateOperation": {"No Pending Operation", "Install/Upgrade", "Delete"},
	"scheduleUnit": {"HOUR", "DAY", "WEEK", "MONTH"}, "singleNumberReachVoicemail": avoidance, "dialViaOfficeReverseVoicemail": avoidance,
	"singleButtonBarge": onOff, "joinAcrossLines": onOff, "callInfoPrivacyStatus": onOff, "audibleMwi": onOff, "cfaCssPolicy": {"Use System Default", "With Activating Device/Line CSS", "With Configured CSS"},
	"startDay": days, "endDay": days, "dndOption": {"Use Common Phone Profile Setting", "Ringer Off", "Call Reject"}, "patternPrecedence": {"Default", "Flash Override", "Flash", "Immediate", "Priority", "Routine", "Executive Override"},
}

var (
	onOff     = []string{"Off", "On", "Default"}
	avoidance = []string{"Use System Default", "Timer Control", "User Control"}
	days      = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// lengths are what fits.
var lengths = map[string]int{"alertingName": 50, "asciiAlertingName": 32, "userid": 128, "display": 50, "displayAscii": 50, "label": 50}

var dialable = regexp.MustCompile(`^(\\\+)?[0-9*#X!\[\]^\-.@]+$`)

// rules refuse what the cluster refuses beyond the schema.
func (s *Sim) rules(kind string, o *object) error {
	if err := s.walk(o.node); err != nil {
		return err
	}
	switch kind {
	case "user":
		return s.userRules(o)
	case "line":
		if p := o.node.value("pattern"); !dialable.MatchString(p) {
			return refuse(-1, `the pattern %q is not valid; a plus sign is written \+`, p)
		}
		if o.node.value("usage") == "" && o.uuid == "" {
			return refuse(-1, "usage is missing")
		}
	case "remoteDestination":
		if d := o.node.value("destination"); !dialable.MatchString(strings.TrimPrefix(d, "+")) {
			return refuse(-1, "the destination %q cannot be dialled", d)
		}
	case "phone", "deviceProfile", "remoteDestinationProfile":
		if kind == "phone" && !strings.HasPrefix(o.node.value("name"), prefixes[o.node.value("product")]) {
			return refuse(-1, "the name of a %s begins with %s", o.node.value("product"), prefixes[o.node.value("product")])
		}
		if n := o.node.value("name"); kind == "phone" && (len(n) > 15 || strings.ToUpper(n) != n || !deviceName.MatchString(n)) {
			return refuse(-1, "the device name %q is not valid: at most 15 letters and digits, in capitals", n)
		}
		return s.lineRules(o)
	}
	return nil
}

// prefixes are how the names of devices begin.
var prefixes = map[string]string{
	"Cisco 8845": "SEP", "Cisco 7841": "SEP", "Cisco Unified Client Services Framework": "CSF", "Cisco Dual Mode for iPhone": "TCT", "Cisco Dual Mode for Android": "BOT", "Cisco Jabber for Tablet": "TAB",
}

var deviceName = regexp.MustCompile(`^[A-Z0-9._-]+$`)

func (s *Sim) walk(n *node) error {
	if table := references[n.name]; table != "" && len(n.kids) == 0 && n.text != "" && !s.has(table, n.text) {
		return refuse(-691, "Missing key in referenced table for referential constraint: %s %q", n.name, n.text)
	}
	if vs := values[n.name]; vs != nil && n.text != "" && !slices.Contains(vs, n.text) {
		return refuse(-1, "%q is no value of %s", n.text, n.name)
	}
	if most := lengths[n.name]; most > 0 && len([]rune(n.text)) > most {
		return refuse(-1, "%s is longer than %d characters", n.name, most)
	}
	if n.name == "asciiAlertingName" || n.name == "displayAscii" {
		for _, r := range n.text {
			if r > 126 {
				return refuse(-1, "%s holds what is no ASCII", n.name)
			}
		}
	}
	for _, k := range n.kids {
		if err := s.walk(k); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sim) has(table, name string) bool {
	if list, ok := s.names[table]; ok {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	return s.object(table, name) != nil
}

func (s *Sim) userRules(o *object) error {
	for _, g := range o.node.all("associatedGroups", "userGroup") {
		if !s.has("userGroup", g.value("name")) {
			return refuse(-691, "Missing key in referenced table for referential constraint: userGroup %q", g.value("name"))
		}
	}
	if ext := o.node.value("primaryExtension/pattern"); ext != "" {
		line := ext + "@" + o.node.value("primaryExtension/routePartitionName")
		ok := false
		for _, d := range s.appearances(line) {
			for _, mine := range o.node.all("associatedDevices", "device") {
				ok = ok || strings.EqualFold(mine.text, d.node.value("name"))
			}
		}
		if !ok {
			return refuse(-1, "the primary extension %s is on none of the user's associated devices", ext)
		}
	}
	return nil
}

func (s *Sim) lineRules(o *object) error {
	seen := map[string]bool{}
	for _, l := range o.node.all("lines", "line") {
		pattern, partition := l.value("dirn/pattern"), l.value("dirn/routePartitionName")
		if seen[l.value("index")] {
			return refuse(-239, "two lines have the index %s", l.value("index"))
		}
		seen[l.value("index")] = true
		if s.object("line", pattern+"@"+partition) != nil {
			continue
		}
		if !s.lineless {
			return refuse(-691, "Missing key in referenced table for referential constraint: directory number %s in %q", pattern, partition)
		}
		s.put("line", group("line", leaf("pattern", pattern), leaf("usage", "Device"), leaf("routePartitionName", partition), leaf("active", "true")))
	}
	return nil
}

// Pattern adds a line of the route plan that is no directory number: a translation, a route or hunt pattern, a park number.
// to is where it leads: a number, the members of a hunt pilot divided by commas.
func (s *Sim) Pattern(p, partition, kind, to, css string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pattern(p, partition, kind, to, css)
}

func (s *Sim) pattern(p, partition, kind, to, css string) {
	x := &pattern{uuid: s.uuid(), pattern: p, partition: partition, kind: kind, detail: to, to: to, css: css}
	if kind == "Hunt Pilot" {
		x.members, x.detail = strings.Split(to, ","), fmt.Sprintf("HL-%s", p)
		s.groups["LG-"+p] = nil
		for _, m := range x.members {
			s.groups["LG-"+p] = append(s.groups["LG-"+p], m+"@"+partition)
		}
	}
	s.patterns, s.idx = append(s.patterns, x), nil
}
