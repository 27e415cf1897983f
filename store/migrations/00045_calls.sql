-- +goose Up
-- The requests of an attempt of a step, sealed under the key of the run's person. They are forgotten after a while.
CREATE TABLE call_log (
  run     TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  person  TEXT NOT NULL,
  system  TEXT NOT NULL,
  at      BIGINT NOT NULL,
  box     TEXT NOT NULL,
  PRIMARY KEY (run, seq, attempt)
);
CREATE INDEX call_log_at ON call_log (at);
CREATE INDEX call_log_person ON call_log (person);
