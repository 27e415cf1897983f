-- +goose Up
-- What a system showed of somebody, when all of its accounts were read last, that is not as the books have it. The box says what
-- it shows, under her key. since is when it was seen first, seen when last: what a later whole reading does not show is deleted.
CREATE TABLE drift (
  id     TEXT NOT NULL,
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  system TEXT NOT NULL,
  kind   TEXT NOT NULL,
  since  BIGINT NOT NULL,
  seen   BIGINT NOT NULL,
  box    TEXT NOT NULL,
  PRIMARY KEY (person, key)
);
CREATE UNIQUE INDEX drift_id ON drift (id);
CREATE INDEX drift_system ON drift (system, id);
CREATE INDEX drift_kind ON drift (kind, id);

-- The last whole reading of each system, and why the last try broke off, if it did after that.
CREATE TABLE drift_reading (
  system   TEXT PRIMARY KEY,
  began    BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  accounts INTEGER NOT NULL,
  nobodys  INTEGER NOT NULL, -- of them: bound to nobody
  failed   BIGINT NOT NULL,
  note     TEXT NOT NULL
);
