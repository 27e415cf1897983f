package jamf

import (
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// dict is a property list's dictionary. Values are string, bool, int, dict and []any.
// https://developer.apple.com/library/archive/documentation/CoreFoundation/Conceptual/CFPropertyLists/
type dict map[string]any

// encode writes a property list, the same for equal values.
func encode(d dict) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">`)
	write(&b, d)
	b.WriteString("</plist>\n")
	return b.String()
}

func write(b *strings.Builder, v any) {
	tag := func(name, text string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(b, []byte(text)) // a Builder takes everything
		b.WriteString("</" + name + ">")
	}
	switch v := v.(type) {
	case dict:
		b.WriteString("<dict>")
		for _, k := range slices.Sorted(maps.Keys(v)) {
			tag("key", k)
			write(b, v[k])
		}
		b.WriteString("</dict>")
	case []any:
		b.WriteString("<array>")
		for _, item := range v {
			write(b, item)
		}
		b.WriteString("</array>")
	case bool:
		fmt.Fprintf(b, "<%t/>", v)
	case int:
		tag("integer", strconv.Itoa(v))
	default:
		tag("string", fmt.Sprint(v))
	}
}

type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Kids    []node `xml:",any"`
}

var errNoList = errors.New("no property list")

// decode reads a property list whose root is a dictionary.
func decode(s string) (dict, error) {
	var root node
	if err := xml.Unmarshal([]byte(s), &root); err != nil {
		return nil, err
	}
	if root.XMLName.Local != "plist" || len(root.Kids) != 1 {
		return nil, errNoList
	}
	v, err := root.Kids[0].value()
	if d, ok := v.(dict); ok {
		return d, err
	}
	return nil, errNoList
}

func (n node) value() (any, error) {
	switch n.XMLName.Local {
	case "dict":
		out := dict{}
		for i := 0; i+1 < len(n.Kids); i += 2 {
			v, err := n.Kids[i+1].value()
			if err != nil || n.Kids[i].XMLName.Local != "key" {
				return nil, errNoList
			}
			out[n.Kids[i].Text] = v
		}
		return out, nil
	case "array":
		out := []any{}
		for _, k := range n.Kids {
			v, err := k.value()
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case "true", "false":
		return n.XMLName.Local == "true", nil
	case "integer":
		return strconv.Atoi(strings.TrimSpace(n.Text))
	default: // string; real, date and data are never ours
		return n.Text, nil
	}
}
