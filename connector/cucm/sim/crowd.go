package sim

import (
	"fmt"
	"strings"
)

// Crowd fills a cluster with many lines, of which the first are on phones, two on each, with an owner each.
func (s *Sim) Crowd(lines, phones int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := func(i int) string { return fmt.Sprintf(`\+4930%07d`, i) }
	for i := range lines {
		s.put("line", group("line", leaf("pattern", number(i)), leaf("description", fmt.Sprintf("Zoë Łukasiewicz-%d, third floor", i)), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("active", "true")))
	}
	for i := range phones {
		id := fmt.Sprintf("p%06d", i)
		s.put("user", group("user", leaf("userid", id), leaf("lastName", "Łukasiewicz-"+id), leaf("mailid", id+"@company.com"), leaf("presenceGroupName", presence),
			group("primaryExtension", leaf("pattern", number(2*i)), leaf("routePartitionName", "DN_PT"))))
		p := phone(fmt.Sprintf("SEP%012X", i), "SFO_DP", id, appearance(1, number(2*i), id, id), appearance(2, number(2*i+1), id, id))
		s.put("phone", p)
	}
	for i := range lines / 100 {
		s.pattern(strings.TrimSuffix(number(i*100), "00")+"XX", "PSTN_PT", "Translation", fmt.Sprintf("%07d", i), "LINE_INTERNAL_CSS")
	}
}
