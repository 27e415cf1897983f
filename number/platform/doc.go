// Package platform compares a telephone system as it was read with the books of numbers and with the people: who of them each
// user, device, mailbox and line belongs to, how sure that is, what differs, and what the books may take over from it.
//
// All of it is pure. Nothing here may call a system or write to one: whatever is found, somebody else decides what to do.
package platform
