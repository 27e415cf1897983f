-- +goose Up
-- What became of the last reading of each telephone system. began is when the one under way began: a start after a crash begins
-- it again. reading names the parts that count; those of any other are of one that broke off.
CREATE TABLE phone_system (
  system  TEXT PRIMARY KEY,
  began   BIGINT NOT NULL, -- 0: none is under way
  tried   BIGINT NOT NULL, -- when the last one began
  failed  BIGINT NOT NULL, -- when it broke off; 0: it did not
  note    TEXT NOT NULL,   -- why
  reading TEXT NOT NULL,   -- '': nothing was read
  at      BIGINT NOT NULL  -- when that was read
);

-- A reading, in parts. The box lies under the key of nobody: whose each line and user is, is found after it.
CREATE TABLE phone_part (
  reading TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  system  TEXT NOT NULL,
  box     TEXT NOT NULL,
  PRIMARY KEY (reading, seq)
);
CREATE INDEX phone_part_system ON phone_part (system);
