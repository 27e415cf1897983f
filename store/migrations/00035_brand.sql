-- +goose Up
-- How the company looks; the latest row counts, and rows are only added: any of them can be gone back to. The logo is in
-- base64. Nothing of it is about a person but who changed it.
CREATE TABLE brand (
  seq       BIGINT PRIMARY KEY,
  company   TEXT NOT NULL,
  accent    TEXT NOT NULL,
  night     TEXT NOT NULL,
  footer    TEXT NOT NULL,
  help      TEXT NOT NULL,
  logo      TEXT NOT NULL,
  logo_type TEXT NOT NULL,
  made      BIGINT NOT NULL,
  made_by   TEXT NOT NULL,
  note      TEXT NOT NULL
);
