-- +goose Up
-- When somebody last confirmed that a person needs something.
CREATE TABLE review (
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  at     BIGINT NOT NULL,
  PRIMARY KEY (person, key)
);
