-- +goose Up
-- What lets programs call the API: the digest of a random text that nobody keeps.
CREATE TABLE api_token (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL,
  role     TEXT NOT NULL,
  digest   TEXT NOT NULL UNIQUE,
  made     BIGINT NOT NULL,
  made_by  TEXT NOT NULL,
  expires  BIGINT NOT NULL,
  used     BIGINT NOT NULL,
  ended    BIGINT NOT NULL,
  ended_by TEXT NOT NULL
);
-- Two that work have never the same name: records could not tell them apart.
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE ended = 0;
