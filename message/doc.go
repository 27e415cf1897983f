// Package message writes what people are told: mails, posts and invitations, from templates and a view of a run. It must
// not send anything, look anything up, or put a secret into a text: secrets are links that open once.
//
// A template is a file of the policy folder, templates/NAME.txt: header lines ("Subject: ..."), an empty line, and the
// text, in the language of text/template over View. Without such a file the built-in one of the same name is used.
package message
