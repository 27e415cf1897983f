-- +goose Up
-- What somebody has to know, once per occasion: opened, and resolved when it is over. It holds ids, counts and instants; who
-- is meant is read where it is shown. told is when it was last told.
CREATE TABLE alert (
  id       TEXT PRIMARY KEY,
  rule     TEXT NOT NULL,
  subject  TEXT NOT NULL,
  person   TEXT NOT NULL,
  run      TEXT NOT NULL,
  note     TEXT NOT NULL,
  opened   BIGINT NOT NULL,
  resolved BIGINT NOT NULL,
  told     BIGINT NOT NULL
);
CREATE UNIQUE INDEX alert_open ON alert (rule, subject) WHERE resolved = 0;
CREATE INDEX alert_opened ON alert (opened);

-- What is to be sent outside of runs: written first, then sent, then marked. Sent again after a crash it has the same once.
-- about keeps what belongs together in its order.
CREATE TABLE outbox (
  once  TEXT PRIMARY KEY,
  via   TEXT NOT NULL,
  kind  TEXT NOT NULL,
  about TEXT NOT NULL,
  body  TEXT NOT NULL,
  made  BIGINT NOT NULL,
  next  BIGINT NOT NULL,
  tries INTEGER NOT NULL,
  sent  BIGINT NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX outbox_due ON outbox (via, next) WHERE sent = 0;
CREATE INDEX outbox_about ON outbox (about, via, made) WHERE sent = 0;
CREATE INDEX outbox_made ON outbox (made);

-- Who has left lately.
CREATE INDEX person_ends ON person (ends, id) WHERE ends > 0;

-- When a source was last heard, or read.
CREATE TABLE source_heard (
  source TEXT PRIMARY KEY,
  heard  BIGINT NOT NULL
);
