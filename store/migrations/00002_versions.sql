-- +goose Up
-- Policy folders that were proposed or applied, as zip in base64.
CREATE TABLE policy_version (
  id     TEXT PRIMARY KEY,
  files  TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  author TEXT NOT NULL,
  note   TEXT NOT NULL,
  made   BIGINT NOT NULL
);

-- Which version counts for whom; the latest row that covers somebody. Rows are only added.
CREATE TABLE policy_stage (
  seq      BIGINT PRIMARY KEY,
  version  TEXT NOT NULL,
  covers   TEXT NOT NULL,
  approver TEXT NOT NULL,
  reason   TEXT NOT NULL,
  applied  BIGINT NOT NULL,
  people   INTEGER NOT NULL
);
