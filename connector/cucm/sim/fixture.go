package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// NewCompany makes two clusters that have what hurts in the field: the same extension 2101 in both, a line that a boss and an
// assistant share, a line that may call abroad though its numbers are of a class that may not, two whose forwards may, one without
// the voice mail of its class, a colleague who is logged in on somebody's phone, a member of a hunt group, an agent of the contact centre,
// numbers of a range that is being ported, a local user in a cluster that a directory feeds, a line that nobody shows, and
// patterns that no search by text finds.
func NewCompany(o sim.Options) (sfo, ber *Sim) {
	sfo, ber = New(o), New(o)
	sfo.Fill("SFO", `\+1408555`)
	ber.Fill("BER", `\+4930555`)
	return sfo, ber
}

// Fill puts the company's people of one site into a cluster; prefix stands before their extensions, as it is stored.
func (s *Sim) Fill(site, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool := site + "_DP"
	s.put("ldapDirectory", group("ldapDirectory", leaf("name", "corp-ad"), leaf("ldapDn", "svc@corp.example"), leaf("userSearchBase", "OU=People,DC=corp,DC=example"), leaf("nextExecTime", "2026-01-01 03:15"),
		leaf("applyMask", "false"), leaf("applyPoolList", "false")))
	s.person(pool, prefix, "mboss", "Maria", "Boss", "corp-ad", 2100, false)
	s.person(pool, prefix, "aassist", "Ali", "Assist", "corp-ad", 2102, false)
	s.person(pool, prefix, "ecolleague", "Ewa", "Colleague", "corp-ad", 2103, true)
	s.person(pool, prefix, "hhunt", "Hugo", "Hunt", "corp-ad", 2104, false)
	s.person(pool, prefix, "agent", "Agnes", "Agent", "corp-ad", 2105, false)
	s.person(pool, prefix, "local", "Lothar", "Local", "", 2106, false)
	s.object("user", "agent").node.set(leaf("ipccExtension", prefix+"2105"))

	s.object("line", prefix+"2104@DN_PT").node.set(leaf("shareLineAppearanceCssName", "LINE_INTERNATIONAL_CSS")) // and nobody granted it
	s.object("line", prefix+"2105@DN_PT").node.get("callForwardAll").set(leaf("callingSearchSpaceName", "LINE_INTERNATIONAL_CSS"))
	local := s.object("line", prefix+"2106@DN_PT").node
	local.set(group("callForwardBusy", leaf("forwardToVoiceMail", "false"), leaf("callingSearchSpaceName", "LINE_INTERNATIONAL_CSS"), leaf("destination", "9011442079460000")))
	local.set(leaf("voiceMailProfileName", "NoVoiceMail"))

	boss := s.object("phone", "SEP001122302100")
	assistant := s.object("phone", "SEP001122302102")
	assistant.node.get("lines").kids = append(assistant.node.get("lines").kids, appearance(2, prefix+"2100", "Maria Boss", "mboss"))
	s.loggedIn[boss.name], s.profile[boss.name] = "ecolleague", "UDP-ecolleague"

	s.put("line", group("line", leaf("pattern", "2101"), leaf("description", "was jdoe"), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("active", "true"),
		group("callForwardAll", leaf("forwardToVoiceMail", "false"), leaf("callingSearchSpaceName", "LINE_INTERNAL_CSS"), leaf("secondaryCallingSearchSpaceName", ""), leaf("destination", prefix[1:]+"2104"))))
	s.put("line", group("line", leaf("pattern", prefix+"2990"), leaf("description", "ported in on 1 March"), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("active", "false")))
	s.pattern("21XX", "DN_PT", "Translation", prefix[1:]+"21XX", "LINE_INTERNAL_CSS")
	s.pattern("5000", "DN_PT", "Hunt Pilot", prefix+"2104,"+prefix+"2105", "")
	s.pattern("71XX", "DN_PT", "CallPark", "", "")
	s.pattern("9.!", "PSTN_PT", "Route", "RL-PSTN", "")
	s.pattern("9.011!", "INTL_PT", "Route", "RL-INTL", "")
	s.pattern("911", "EMERGENCY_PT", "Route", "RL-EMERGENCY", "")
	s.pattern(prefix+"29XX", "DN_PT", "Emergency Location ID Number", site, "")
}

// person puts a user there with a line, and a phone or a profile that shows it.
func (s *Sim) person(pool, prefix, id, first, last, ldap string, extension int, profile bool) {
	number := prefix + strconv.Itoa(extension)
	s.put("line", group("line", leaf("pattern", number), leaf("description", first+" "+last), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"),
		group("callForwardAll", leaf("forwardToVoiceMail", "false"), leaf("callingSearchSpaceName", "LINE_INTERNAL_CSS"), leaf("secondaryCallingSearchSpaceName", ""), leaf("destination", "")),
		group("callForwardNoAnswer", leaf("forwardToVoiceMail", "true"), leaf("callingSearchSpaceName", "LINE_INTERNAL_CSS"), leaf("destination", ""), leaf("duration", "20")),
		leaf("alertingName", first+" "+last), leaf("shareLineAppearanceCssName", "LINE_INTERNAL_CSS"), leaf("voiceMailProfileName", "VM-Default"), leaf("active", "true")))
	u := group("user", leaf("firstName", first), leaf("lastName", last), leaf("userid", id), leaf("mailid", id+"@example.com"),
		group("associatedGroups", group("userGroup", leaf("name", "Standard CCM End Users"))), leaf("presenceGroupName", presence), leaf("homeCluster", "true"), leaf("telephoneNumber", number[1:]))
	if ldap != "" {
		u.set(leaf("ldapDirectoryName", ldap))
	}
	if profile {
		s.put("deviceProfile", group("deviceProfile", leaf("name", "UDP-"+id), leaf("product", "Cisco 8845"), leaf("class", "Device Profile"), leaf("protocol", "SIP"), leaf("protocolSide", "User"),
			group("lines", appearance(1, number, first+" "+last, id)), leaf("phoneTemplateName", "Standard 8845 SIP")))
		u.set(group("phoneProfiles", leaf("profileName", "UDP-"+id)))
		u.set(leaf("defaultProfile", "UDP-"+id))
	} else {
		device := fmt.Sprintf("SEP0011223%05d", extension)
		s.put("phone", phone(device, pool, id, appearance(1, number, first+" "+last, id)))
		u.set(group("associatedDevices", leaf("device", device)))
		u.set(group("primaryExtension", leaf("pattern", number), leaf("routePartitionName", "DN_PT")))
	}
	s.put("user", u)
}

// Neglect puts into a cluster, which Fill has filled, what years leave behind: all that somebody had who has left since, a number
// that is two people's own, a number that the directory states otherwise, a phone whose owner is no user any more, a number of
// nobody's pool, a user who is like nobody, and a park slot in the middle of a range.
func (s *Sim) Neglect(site, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool := site + "_DP"
	s.person(pool, prefix, "lleft", "Lea", "Left", "corp-ad", 2107, false)
	s.put("deviceProfile", group("deviceProfile", leaf("name", "UDP-lleft"), leaf("product", "Cisco 8845"), leaf("class", "Device Profile"), leaf("protocol", "SIP"), leaf("protocolSide", "User"),
		group("lines", appearance(1, prefix+"2107", "Lea Left", "lleft")), leaf("phoneTemplateName", "Standard 8845 SIP")))
	s.object("user", "lleft").node.set(group("phoneProfiles", leaf("profileName", "UDP-lleft")))
	s.put("remoteDestinationProfile", group("remoteDestinationProfile", leaf("name", "RDP-lleft"), leaf("product", "Remote Destination Profile"), leaf("class", "Remote Destination Profile"),
		leaf("protocol", "Remote Destination"), leaf("protocolSide", "User"), leaf("devicePoolName", pool), group("lines", appearance(1, prefix+"2107", "Lea Left", "lleft")), leaf("userId", "lleft")))
	local := s.object("phone", "SEP001122302106")
	s.loggedIn[local.name], s.profile[local.name] = "lleft", "UDP-lleft"

	s.person(pool, prefix, "twin", "Tara", "Twin", "corp-ad", 2108, false)
	s.person(pool, prefix, "nomad", "Nora", "Nomad", "corp-ad", 2109, false)
	s.object("user", "nomad").node.set(group("primaryExtension", leaf("pattern", prefix+"2108"), leaf("routePartitionName", "DN_PT")))

	s.object("phone", "SEP001122302109").node.set(leaf("callingSearchSpaceName", ""))

	s.person(pool, prefix, "moved", "Mona", "Moved", "corp-ad", 2110, false)
	s.object("user", "moved").node.set(leaf("telephoneNumber", prefix[1:]+"2199"))

	s.person(pool, prefix, "ghost", "Gero", "Ghost", "corp-ad", 2111, false)
	s.put("line", group("line", leaf("pattern", prefix+"2112"), leaf("description", "lobby"), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("shareLineAppearanceCssName", "LINE_INTERNAL_CSS"), leaf("voiceMailProfileName", "VM-Default"), leaf("active", "true")))
	s.put("phone", phone("SEP001122302112", pool, "retired", appearance(1, prefix+"2112", "lobby", "retired")))

	s.put("line", group("line", leaf("pattern", prefix+"3000"), leaf("description", "Hugo Hunt"), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("active", "true")))
	hunt := s.object("phone", "SEP001122302104")
	hunt.node.get("lines").kids = append(hunt.node.get("lines").kids, appearance(2, prefix+"3000", "Hugo Hunt", "hhunt"))
	s.pattern(prefix+"211[5-9]", "DN_PT", "CallPark", "", "")
}

func phone(name, pool, owner string, lines ...*node) *node {
	return group("phone", leaf("name", name), leaf("product", "Cisco 8845"), leaf("class", "Phone"), leaf("protocol", "SIP"), leaf("protocolSide", "User"), leaf("callingSearchSpaceName", "DEVICE_SFO_CSS"),
		leaf("devicePoolName", pool), leaf("commonPhoneConfigName", "Standard Common Phone Profile"), leaf("locationName", "Hub_None"),
		group("vendorConfig", leaf("videoCapability", "1"), leaf("ciscoCamera", "1")), leaf("useTrustedRelayPoint", "Default"),
		group("lines", lines...), leaf("phoneTemplateName", "Standard 8845 SIP"), leaf("primaryPhoneName", ""), leaf("enableExtensionMobility", "true"), leaf("builtInBridgeStatus", "Default"),
		leaf("ownerUserName", owner), leaf("packetCaptureMode", "None"), leaf("certificateOperation", "No Pending Operation"), leaf("deviceMobilityMode", "Default"))
}

func appearance(index int, number, name, user string) *node {
	n := group("line", leaf("index", strconv.Itoa(index)), leaf("label", name), leaf("display", name), group("dirn", leaf("pattern", number), leaf("routePartitionName", "DN_PT")),
		leaf("e164Mask", number[1:]), leaf("dialPlanWizardId", ""), leaf("maxNumCalls", "4"), leaf("busyTrigger", "2"), group("associatedEndusers", group("enduser", leaf("userId", user))))
	n.attr = map[string]string{"ctiid": strconv.Itoa(1000 + index), "uuid": "{00000000-1111-2222-3333-44444444444" + strconv.Itoa(index%10) + "}"}
	return n
}

// Staff puts somebody of the company's own directory into a cluster: a user with an employee number and a line, on a phone or,
// for who signs in on any phone, in a profile. With jabber a computer shows the line, too.
func (s *Sim) Staff(site, prefix string, e Entry, extension int, profile, jabber bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool, name := site+"_DP", strings.TrimSpace(e.First+" "+e.Last)
	s.person(pool, prefix, e.ID, e.First, e.Last, "corp-ad", extension, profile)
	u := s.object("user", e.ID).node
	u.set(leaf("mailid", e.Mail))
	u.set(leaf("associatedPc", e.Number))
	if !jabber {
		return
	}
	device := "CSF" + strings.ToUpper(strings.ReplaceAll(e.ID, ".", ""))
	p := phone(device[:min(len(device), 15)], pool, e.ID, appearance(1, prefix+strconv.Itoa(extension), name, e.ID))
	p.set(leaf("product", "Cisco Unified Client Services Framework"))
	p.set(leaf("phoneTemplateName", "Standard Client Services Framework"))
	s.put("phone", p)
}

// Shared shows somebody's line on a device of somebody else, too: an assistant answers for a boss.
func (s *Sim) Shared(device, prefix string, extension int, name, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.object("phone", device).node.get("lines")
	lines.kids = append(lines.kids, appearance(len(lines.kids)+1, prefix+strconv.Itoa(extension), name, user))
}
