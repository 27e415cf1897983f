-- +goose Up
-- What its author alone wants in force: it takes effect when its notice is over, unless somebody withdraws it. marks is what
-- it changed for whom when it was planned, as digests. told is the state that the ledger knows.
CREATE TABLE policy_act (
  id       TEXT PRIMARY KEY,
  version  TEXT NOT NULL,
  covers   TEXT NOT NULL,
  author   TEXT NOT NULL,
  approver TEXT NOT NULL,
  reason   TEXT NOT NULL,
  release  TEXT NOT NULL,
  made     BIGINT NOT NULL,
  due      BIGINT NOT NULL,
  after    BIGINT NOT NULL,
  marks    TEXT NOT NULL,
  people   INTEGER NOT NULL,
  state    TEXT NOT NULL,
  ended    BIGINT NOT NULL,
  ended_by TEXT NOT NULL,
  why      TEXT NOT NULL,
  told     TEXT NOT NULL
);
CREATE INDEX policy_act_open ON policy_act (due, id) WHERE state = 'waiting';
CREATE INDEX policy_act_untold ON policy_act (id) WHERE told <> state;

-- The licences behind an offer, where the system tells: -1 is not known. Offers of one pool share them.
ALTER TABLE offer ADD COLUMN pool TEXT NOT NULL DEFAULT '';
ALTER TABLE offer ADD COLUMN seats INTEGER NOT NULL DEFAULT -1;
ALTER TABLE offer ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
