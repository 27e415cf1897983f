// Package connector is the contract between Dayone and the systems it reaches, and what all connectors share: the
// manifest, the target that turns a vendor's verbs into the contract, and the guard that limits, times and redacts.
//
// A connector classifies errors. It must not sleep, retry, log, keep state beside its client, know a person, or know
// another connector; it must not import the store or the engine. A vendor is one folder:
//
//	okta/manifest.yaml   what it is: settings, attributes, kinds, limits; registry, docs and forms are generated from it
//	okta/okta.go         New, and the vendor's verbs in our words
//	okta/client.go       wire types and calls, each with the vendor's page
//	okta/sim/            a simulator with wire types of its own; it never imports its parent
//	okta/okta_test.go    connectortest.Run, and what is peculiar to the vendor
package connector
