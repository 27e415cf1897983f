-- +goose Up
-- Steps that failed, the newest first: pages show them with what to do.
CREATE INDEX step_failed ON step (since, run) WHERE state = 'failed';

-- How many steps Dayone has done by itself, by the month in which their run ended and by action. A run is marked in the commit that
-- counts it: it is counted once, however often somebody looks.
CREATE TABLE work (
  month  TEXT NOT NULL, -- 2025-01, UTC
  action TEXT NOT NULL,
  steps  INTEGER NOT NULL,
  PRIMARY KEY (month, action)
);

ALTER TABLE run ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_uncounted ON run (id) WHERE counted = 0 AND ended > 0;

-- Since when everything was there that somebody's first day needs, and when their source spoke of them first.
CREATE TABLE ready (
  person TEXT PRIMARY KEY,
  starts BIGINT NOT NULL,
  began  BIGINT NOT NULL,
  at     BIGINT NOT NULL
);
CREATE INDEX ready_starts ON ready (starts);

-- How many minutes a human needs for a step of each action, as the customer says; the latest row counts, and rows are only added.
CREATE TABLE baseline (
  seq     BIGINT PRIMARY KEY,
  minutes TEXT NOT NULL, -- JSON: action to minutes
  made    BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  note    TEXT NOT NULL
);
