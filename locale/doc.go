// Package locale says what the house says in English in other languages: texts by a catalogue, days, spans and numbers as
// people there write them. English is the source, and its texts are the keys: what a catalogue does not have stays English.
// It must not know where a text stands, nor who reads it.
package locale
