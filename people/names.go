package people

import (
	"iter"
	"strconv"
	"strings"
	"unicode"

	"github.com/gosimple/unidecode"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// mostNames is how many names are tried for one person before a human has to choose.
const mostNames = 500

// Names are the values that a made attribute may have for a person, the best first: sarah.chen, sarah.chen2, sarah.chen3.
// Whether one is free is not known here. None: a part of it is missing, and its name is told.
func Names(n policy.Naming, letters map[string]string, attrs dayone.Attrs) (all iter.Seq[string], missing string) {
	local, domain := "", ""
	for _, part := range n.Parts {
		text := part.Text
		if len(part.Of) > 0 {
			for _, name := range part.Of {
				if text = plain(attrs.Text(name), letters); text != "" {
					break
				}
			}
			if text == "" {
				return nil, part.Of[len(part.Of)-1]
			}
			if part.Letters > 0 {
				text = text[:min(len(text), part.Letters)]
			}
		}
		if before, after, at := strings.Cut(text, "@"); domain != "" || at {
			if domain == "" {
				local += before
				domain, text = "@", after
			}
			domain += text
			continue
		}
		local += text
	}
	local = strings.Trim(local, ".-_")
	if local == "" {
		return nil, "first_name"
	}
	return func(yield func(string) bool) {
		for i := 1; i <= mostNames; i++ {
			number := ""
			if i > 1 {
				number = strconv.Itoa(i)
			}
			name := local
			if most := n.Max - len(domain) - len(number); n.Max > 0 && len(name) > most {
				name = strings.TrimRight(name[:max(most, 1)], ".-_")
			}
			if !yield(name + number + domain) {
				return
			}
		}
	}, ""
}

// plain is a name in the letters that every system takes: a to z, digits, and - as it stands in double names.
func plain(text string, letters map[string]string) string {
	for _, r := range text {
		if to, ok := letters[string(unicode.ToLower(r))]; ok {
			text = strings.ReplaceAll(text, string(r), to)
		}
	}
	var b strings.Builder
	for _, r := range strings.ToLower(unidecode.Unidecode(text)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' && b.Len() > 0 || r == '.' {
			b.WriteRune(r)
		}
	}
	return strings.Trim(b.String(), ".-")
}
