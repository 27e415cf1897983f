-- +goose Up
-- Two ids of ours turn out to be one person: what stands of the one moves to the other, and can be moved back. merged is whose
-- books hold it; '': her own.
ALTER TABLE person ADD COLUMN merged TEXT NOT NULL DEFAULT '';
CREATE INDEX person_merged ON person (merged) WHERE merged <> '';

-- box: by whom and why, and every row that moved, under the key of whoever stays.
CREATE TABLE merge (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL, -- who stays
  other  TEXT NOT NULL,
  made   BIGINT NOT NULL,
  undone BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX merge_person ON merge (person, id);
CREATE INDEX merge_other ON merge (other, id);
