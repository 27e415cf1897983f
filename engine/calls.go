package engine

import "github.com/dayone-hq/dayone"

// noteCalls puts the requests of an attempt into the transaction of its outcome. The machine does not see them, and the run does
// not keep them.
func (l *loop) noteCalls(lv *live, in *input) {
	calls, left := in.ev.Result.Calls, in.ev.Result.Left
	in.ev.Result.Calls, in.ev.Result.Left = nil, 0
	seq, ok := lv.index[in.ev.Step]
	if len(calls) == 0 || !ok {
		return
	}
	log := dayone.CallLog{Seq: seq, Attempt: in.ev.Attempt, System: lv.run.Steps[seq].Step.Key.System, At: l.Clock.Now(), Calls: calls, Left: left}
	if in.ev.Err != nil {
		log.Kind = kindWord(in.ev.Err)
	}
	lv.rest.Calls = append(lv.rest.Calls, log)
	l.mark(lv)
}
