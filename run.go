package dayone

import "time"

// StepState of a step in a run.
type StepState string

const (
	StepPending    StepState = "pending"
	StepRunning    StepState = "running"
	StepRetrying   StepState = "retrying"
	StepWaiting    StepState = "waiting"
	StepDone       StepState = "done"
	StepFailed     StepState = "failed"
	StepBlocked    StepState = "blocked"
	StepSkipped    StepState = "skipped"
	StepUndone     StepState = "undone"
	StepUndoFailed StepState = "undo failed"
)

// Over says that the step moves no more.
func (s StepState) Over() bool {
	switch s {
	case StepDone, StepFailed, StepBlocked, StepSkipped, StepUndone, StepUndoFailed:
		return true
	}
	return false
}

// RunState of a run.
type RunState string

const (
	RunRunning        RunState = "running"
	RunWaiting        RunState = "waiting"
	RunDone           RunState = "done"
	RunIncomplete     RunState = "incomplete"
	RunUndoing        RunState = "undoing"
	RunUndone         RunState = "undone"
	RunUndoIncomplete RunState = "undo incomplete"
	RunHeld           RunState = "held"
	RunSuperseded     RunState = "superseded"
	RunCancelled      RunState = "cancelled"
)

// Over says that the run moves no more by itself.
func (s RunState) Over() bool {
	switch s {
	case RunRunning, RunWaiting, RunUndoing, RunHeld:
		return false
	}
	return true
}

// StepRun is a step and how far it is.
type StepRun struct {
	Step    Step
	State   StepState
	Attempt int       // number of the last call: answers to an older one are not ours
	Tries   int       // failures in a row; a wait is none
	Failing time.Time // first of them, or the restart after it
	Since   time.Time // first intent
	Started time.Time // last call
	Ended   time.Time // last answer
	Next    time.Time // when it is called again by itself
	Wait    *Wait
	Waited  time.Time // since when it waits for that
	Asked   Attrs     // what was asked in the last call, references resolved
	Result  Result
	Error   string    // operator text
	Kind    string    // error kind, for pages and counts
	Of      StepID    `json:",omitempty"` // the step of this run that this one takes back
	Parked  time.Time // since when its system takes nothing new, or humans work there; zero: neither
	Alarmed time.Time // when somebody was told that it is overdue
	Agreed  bool      `json:",omitempty"` // the approval that it asks for was given
}

// Run is a plan being carried out. Static parts (plan, have) are written once; what moves is per step.
type Run struct {
	ID      RunID
	Person  PersonID
	Event   EventID // what started it; "" for a wake-up
	Title   string
	State   RunState
	Started time.Time
	Ended   time.Time
	Hash    string // of the plan
	Plan    Plan
	Have    []Holding // at the start
	Steps   []StepRun
	Machine int      // version of the run machine that began it
	Ending  RunState // superseded, cancelled: nothing starts any more, calls under way come back first. A cancelled run that somebody resumed has none
	Of      RunID    // the run that this one takes back; its own id: a human turned it back
}

// Step finds a step by id, or nil.
func (r *Run) Step(id StepID) *StepRun {
	for i := range r.Steps {
		if r.Steps[i].Step.ID == id {
			return &r.Steps[i]
		}
	}
	return nil
}

// Evidence is what a human may supply with any task: a text or a link that shows that it is done.
const Evidence = "evidence"

// Task is a step that a human does. It belongs to the grant, not to the run: its key is the step's Once.
type Task struct {
	ID     TaskID
	Person PersonID
	Run    RunID
	Step   StepID
	Once   string
	System string
	Title  string
	Note   string
	Ask    []string // attributes to supply
	Opened time.Time
	Due    time.Time
	Closed time.Time
	By     string // who closed it
	Attrs  Attrs  // what was supplied
	Left   string // why it was closed though nobody did it: see TaskMoves; "": it is done

	Assignee string    // a mail address or group:NAME; "": nobody yet
	Proof    bool      // it is done when somebody shows that it is: Evidence must not be empty
	Evidence string    // text or a link
	Remind   time.Time // when whoever has it hears of it again; zero: nobody has looked yet
	Reminded time.Time
}

// TaskMoves says of a task that is closed that it opens again, as the same, once its grant needs a human again: the run
// was planned anew, or the step is tried again.
func TaskMoves(left string) bool { return left == string(RunSuperseded) || left == TriedAgain }

// TriedAgain is why a task was left whose step is called again.
const TriedAgain = "tried again"

// Progress is what happened to one run since it was last stored: what a store writes in one transaction. It is a copy:
// the run may move on while it is written.
type Progress struct {
	Run      Run  // without its steps
	New      bool // the run itself was not there
	Moved    bool // the run's own row changed
	Steps    []StepChange
	Holdings []Holding
	Gone     []Holding
	Records  []Record
	Opened   []Task
	Closed   []Task
	Secrets  []Sealed
	Holds    []Hold
	Calls    []CallLog
	Circuits []Circuit // of no run: then Run has no id
}

// StepChange is a step that changed, at its place in the run.
type StepChange struct {
	Seq int
	StepRun
}

// Sealed is a secret at rest.
type Sealed struct {
	ID     SecretID
	Person PersonID
	Box    string
}
