package dayone

import "slices"

// Role is what somebody who is let in may do. A name that is none of Roles may do nothing.
type Role string

const (
	Administrator Role = "administrator" // everything
	HR            Role = "hr"            // people and what is said of them, also what is confidential
	Operator      Role = "operator"      // runs, tasks, systems, and approvals that somebody gave
	Approver      Role = "approver"      // approvals and tasks
	Auditor       Role = "auditor"       // sees everything but secrets and what is confidential, and writes nothing
)

// Employee is whoever signs in and has no role: she sees herself, those whose manager she is, and what she is asked. It takes
// a login that says who she is; a token cannot have it.
const Employee Role = "employee"

// Roles are those that a login can be given.
var Roles = []Role{Administrator, HR, Operator, Approver, Auditor}

// Viewer is who asks. The zero one is nobody: what is confidential is not there for her.
type Viewer struct {
	Login        string // goes into records
	Role         Role
	Confidential bool  // may know what is confidential before its instant
	Scope        Scope // how far the role reaches; none: everywhere
}

// In says whether a role is one of some.
func (r Role) In(roles []Role) bool { return slices.Contains(roles, r) }

// Veil is how much of a person is confidential at an instant.
type Veil int

const (
	Unveiled    Veil = iota // everything may be known
	PartVeiled              // she is known, but not all that was said of her
	WholeVeiled             // nobody else may know that there is such a person
)
