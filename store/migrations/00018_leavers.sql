-- +goose Up
-- A legal hold: while it stands nothing of its person is deleted. The box holds why, and who said so.
CREATE TABLE legal_hold (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  since  BIGINT NOT NULL,
  ended  BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX legal_hold_person ON legal_hold (person, id);
CREATE UNIQUE INDEX legal_hold_stands ON legal_hold (person) WHERE ended = 0;

-- What every system said when it was asked what a leaver still has. The box holds all of it.
CREATE TABLE certificate (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  made   BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX certificate_person ON certificate (person, id);

-- When a leaver is read back by itself.
CREATE TABLE certificate_due (
  person TEXT PRIMARY KEY,
  at     BIGINT NOT NULL
);
CREATE INDEX certificate_due_at ON certificate_due (at);
