package sheet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Shape gives a manifest the kinds and the attributes that the settings kinds and columns name.
func Shape(m *connector.Manifest, settings map[string]string) error {
	columns, err := ParseColumns(connector.Words(settings["columns"]))
	if err != nil {
		return &connector.SettingError{Setting: "columns", Text: fmt.Sprintf("setting columns: %s", strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error())), Hint: "such as login=User name"}
	}
	m.Kinds = map[string]connector.Kind{}
	for _, kind := range connector.Words(settings["kinds"]) {
		if kind == dayone.AccountKindName || kind == StateColumn || strings.ContainsAny(kind, "/:+ ") {
			return &connector.SettingError{Setting: "kinds", Text: fmt.Sprintf("setting kinds: %q is no kind of entitlement", kind), Hint: "write one word, such as role"}
		}
		m.Kinds[kind] = connector.Kind{Needs: []string{dayone.AccountKindName}, Actions: []string{"add", "remove"}, Catalogue: true}
	}
	for name := range columns {
		if _, known := m.Account.Attributes[name]; !known && name != StateColumn && m.Kinds[name].Actions == nil {
			m.Account.Attributes[name] = connector.Attribute{}
		}
	}
	return nil
}

// LayoutOf is the layout that the settings of a shaped manifest say.
func LayoutOf(system string, m *connector.Manifest, settings map[string]string) Layout {
	columns, _ := ParseColumns(connector.Words(settings["columns"])) // judged by Shape
	return Layout{
		System: system, ID: settings["id"], Attrs: slices.Sorted(maps.Keys(m.Account.Attributes)), Columns: columns, Kinds: slices.Sorted(maps.Keys(m.Kinds)),
	}
}
