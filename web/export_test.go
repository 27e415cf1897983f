package web

// Patterns are all addresses there are, for the test that compares them with the API's document.
func Patterns() []string {
	p := &portal{view: newRenderer("")}
	var out []string
	for _, r := range p.routes() {
		out = append(out, r.pattern)
	}
	return out
}
