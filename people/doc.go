// Package people keeps who works here: it turns events into a timeline, and a timeline into a person at an instant. It
// judges identity and dates first and alone, keeps the last good value of everything else, and loses nothing.
//
// It must not decide what anybody gets, call a system, or read a clock: instants come in.
package people
