-- +goose Up
-- A limit that was passed, and what somebody decided about it.
CREATE TABLE brake (
  id     TEXT PRIMARY KEY,
  scope  TEXT NOT NULL, -- source:hr, system:okta
  rule   TEXT NOT NULL,
  state  TEXT NOT NULL,
  note   TEXT NOT NULL, -- counts: it names nobody
  held   INTEGER NOT NULL,
  opened BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  author TEXT NOT NULL,
  second TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE UNIQUE INDEX brake_on ON brake (scope, rule) WHERE state = 'on';
CREATE INDEX brake_opened ON brake (opened);

-- What waits behind it: an event of a source, or a hold that keeps an access. mark is a digest of what would change; the box
-- lies under the key of the row's person, or of nobody.
CREATE TABLE held (
  item     TEXT PRIMARY KEY,
  brake    TEXT NOT NULL,
  person   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  mark     TEXT NOT NULL,
  released BIGINT NOT NULL,
  box      TEXT NOT NULL
);
CREATE INDEX held_brake ON held (brake, item);
CREATE INDEX held_unseen ON held (item) WHERE mark = '';
CREATE INDEX held_person ON held (person);
ALTER TABLE event ADD COLUMN brake TEXT NOT NULL DEFAULT '';
CREATE INDEX event_brake ON event (brake) WHERE state = 'held';

-- Who has passed a limit on a day, each person once, and how many they are; base is what the limit is a part of.
CREATE TABLE passed (
  scope  TEXT NOT NULL,
  day    TEXT NOT NULL,
  rule   TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (scope, day, rule, person)
);
CREATE INDEX passed_day ON passed (day);
CREATE TABLE passed_count (
  scope TEXT NOT NULL,
  day   TEXT NOT NULL,
  rule  TEXT NOT NULL,
  n     INTEGER NOT NULL,
  base  INTEGER NOT NULL,
  PRIMARY KEY (scope, day, rule)
);

-- What may be taken from somebody whatever the brakes say: somebody reviewed it.
CREATE TABLE pass (
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  until  BIGINT NOT NULL,
  PRIMARY KEY (person, key)
);
CREATE INDEX pass_until ON pass (until);

-- Lay-offs that are known beforehand.
CREATE TABLE announced (
  id       TEXT PRIMARY KEY,
  source   TEXT NOT NULL,
  many     INTEGER NOT NULL,
  used     INTEGER NOT NULL,
  since    BIGINT NOT NULL,
  until    BIGINT NOT NULL,
  reason   TEXT NOT NULL,
  author   TEXT NOT NULL,
  second   TEXT NOT NULL,
  made     BIGINT NOT NULL,
  ended    BIGINT NOT NULL,
  ended_by TEXT NOT NULL
);

-- When a source's whole list was last read, and which employments that list does not have.
CREATE TABLE source_read (
  source  TEXT PRIMARY KEY,
  first   BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  records INTEGER NOT NULL, -- of the one that counted
  seen    INTEGER NOT NULL, -- of the last one
  note    TEXT NOT NULL,
  brake   TEXT NOT NULL
);
CREATE TABLE absent (
  source  TEXT NOT NULL,
  subject TEXT NOT NULL,
  person  TEXT NOT NULL,
  since   BIGINT NOT NULL,
  PRIMARY KEY (source, subject)
);
CREATE INDEX absent_person ON absent (person);
