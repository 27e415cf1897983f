-- +goose Up
-- By what somebody is found who may be known already: digests under the master key, which tell nothing without it.
CREATE TABLE trait (
  person TEXT NOT NULL,
  mark   TEXT NOT NULL,
  PRIMARY KEY (person, mark)
);
CREATE INDEX trait_mark ON trait (mark, person);
-- People whose traits are yet to be written.
ALTER TABLE person ADD COLUMN marked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_unmarked ON person (id) WHERE marked = 0;

-- Whether an employment is one of somebody who is known already. suspects names ids and what speaks for each; what the source
-- says of the newcomer lies in the box, under the key of nobody, until it is decided.
CREATE TABLE suspicion (
  id       TEXT PRIMARY KEY,
  source   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  event    TEXT NOT NULL,
  opened   BIGINT NOT NULL,
  suspects TEXT NOT NULL,
  state    TEXT NOT NULL,
  person   TEXT NOT NULL,
  by_whom  TEXT NOT NULL,
  decided  BIGINT NOT NULL,
  box      TEXT NOT NULL
);
CREATE UNIQUE INDEX suspicion_open ON suspicion (source, subject) WHERE state = 'open';
CREATE INDEX suspicion_subject ON suspicion (source, subject, id);
CREATE INDEX event_held ON event (id) WHERE state = 'held';

-- What somebody who has not begun is asked for by a one-time link. mark is the digest of the link that counts now.
CREATE TABLE prehire (
  engagement TEXT PRIMARY KEY,
  person     TEXT NOT NULL,
  mark       TEXT NOT NULL,
  links      INTEGER NOT NULL, -- how many there were: each ends the one before
  made       BIGINT NOT NULL,
  told       INTEGER NOT NULL, -- how often
  next       BIGINT NOT NULL,  -- when it is told again; 0: no more
  done       BIGINT NOT NULL
);
CREATE UNIQUE INDEX prehire_mark ON prehire (mark);
CREATE INDEX prehire_person ON prehire (person);
