-- +goose Up
-- The run that a run takes back; its own id: a human turned it back; '': none.
ALTER TABLE run ADD COLUMN takes_back TEXT NOT NULL DEFAULT '';
CREATE INDEX run_takes_back ON run (takes_back, id) WHERE takes_back <> '';

-- What policies leave alone for a while, since somebody took it back. The box holds its scope, why, and who said so.
CREATE TABLE hold (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  run    TEXT NOT NULL,
  since  BIGINT NOT NULL,
  until  BIGINT NOT NULL,
  ended  BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX hold_person ON hold (person, id);
CREATE INDEX hold_stands ON hold (until, id) WHERE ended = 0;
