-- +goose Up
-- What became of what a leaver looked after. since is the end that it is about, at when it is to be seen to; 0: it was.
CREATE TABLE succession (
  person TEXT PRIMARY KEY,
  since  BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX succession_due ON succession (at, person) WHERE at > 0;
