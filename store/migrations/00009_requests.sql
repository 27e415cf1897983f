-- +goose Up
-- What somebody asked for of what policies offer. It stands until it is ended.
CREATE TABLE request (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  made   BIGINT NOT NULL,
  until  BIGINT NOT NULL,
  ended  BIGINT NOT NULL,
  box    TEXT NOT NULL
);
CREATE UNIQUE INDEX request_stands ON request (person, key) WHERE ended = 0;
CREATE INDEX request_person ON request (person, id);
