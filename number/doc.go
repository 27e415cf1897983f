// Package number decides about telephone numbers: what numbers.yaml means, what may become of a number, which of those that
// are free somebody gets, how long a pool lasts, what a file of numbers says, and what is wrong with the books.
//
// All of it is pure: numbers, people and instants come in, decisions come out. The store keeps what was decided, package flow
// joins the two in one transaction. Nothing here may call a platform, read a clock, or know who somebody is.
package number
