// Package engine carries plans out. Its heart is the run machine: Next, a pure and total function from a run and an event
// to what is to be stored and what is to be done. Around it stands the embedded driver: one process, one writer, group
// commit, timers in memory.
//
// The machine must not read a clock, draw a random number or know of any driver. The driver must not decide anything
// about a run. Neither knows a vendor or a database: both reach them through the small interfaces of driver.go.
package engine
