-- +goose Up
-- Whom we asked to agree to a grant. It belongs to the grant and outlives the run: once is of person, key and role. The
-- rule, who may decide and who did lie in the box.
CREATE TABLE approval (
  id        TEXT PRIMARY KEY,
  person    TEXT NOT NULL,
  key       TEXT NOT NULL,
  once      TEXT NOT NULL,
  state     TEXT NOT NULL,
  noted     TEXT NOT NULL, -- the state that the ledger knows
  run       TEXT NOT NULL,
  step      TEXT NOT NULL,
  opened    BIGINT NOT NULL,
  due       BIGINT NOT NULL,
  asked     BIGINT NOT NULL,
  reminded  BIGINT NOT NULL,
  escalated BIGINT NOT NULL,
  decided   BIGINT NOT NULL,
  ended     BIGINT NOT NULL,
  next      BIGINT NOT NULL, -- when those who decide hear of it again, or it expires
  box       TEXT NOT NULL
);
CREATE UNIQUE INDEX approval_once ON approval (once) WHERE ended = 0;
CREATE INDEX approval_person ON approval (person, id);
CREATE INDEX approval_open ON approval (due, id) WHERE state = 'open' AND ended = 0;
CREATE INDEX approval_next ON approval (next) WHERE next > 0;

CREATE TABLE delegation (
  id       TEXT PRIMARY KEY,
  person   TEXT NOT NULL,
  delegate TEXT NOT NULL,
  starts   BIGINT NOT NULL,
  ends     BIGINT NOT NULL,
  made     BIGINT NOT NULL,
  box      TEXT NOT NULL
);
CREATE INDEX delegation_person ON delegation (person, ends);

-- When whoever has a task hears of it again.
ALTER TABLE task ADD COLUMN remind BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN reminded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX task_remind ON task (remind) WHERE closed = 0 AND remind > 0;
