// Package planner makes the plan: what a person is to have, minus what she has, as a graph of steps. It is pure. It must
// not call a system, read a clock or know a vendor: what a system can do reaches it as dayone.System.
//
// Order comes from data alone. A step needs another because it uses what that one brings (${okta.account.ref}), because
// an entitlement hangs on its account, or because configuration says that a system's accounts come through another's.
// Equal inputs give equal plans, byte for byte.
package planner
