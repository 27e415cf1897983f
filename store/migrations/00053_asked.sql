-- +goose Up
-- Who is asked, so that what waits for somebody is found without what waits for everybody else. The addresses lie in boxes: here
-- are digests of them under the master key, of an approval for as long as it is open. What was open before is filled in by the
-- program, which has the key.
CREATE TABLE decider (
  digest   TEXT NOT NULL,
  approval TEXT NOT NULL,
  PRIMARY KEY (digest, approval)
);
CREATE INDEX decider_approval ON decider (approval);
ALTER TABLE task ADD COLUMN assigned TEXT NOT NULL DEFAULT '';
CREATE INDEX task_assigned ON task (assigned, due, id) WHERE closed = 0;

-- +goose Down
DROP INDEX task_assigned;
ALTER TABLE task DROP COLUMN assigned;
DROP TABLE decider;
