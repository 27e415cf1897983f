// Package examples holds the example policies, the demo's events and device profiles, so that the binary has them wherever
// it runs.
package examples

import "embed"

// Files are people.yaml, sites.yaml, catalog/, policies/, products/, tests/, devices/ and events/.
//
//go:embed people.yaml sites.yaml catalog policies products tests devices events broken all:.schema
var Files embed.FS
