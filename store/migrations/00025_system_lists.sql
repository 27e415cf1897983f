-- +goose Up
-- How many accounts the list of a system had when it last counted, and what became of the last try. brake holds a list that
-- shrank; '': none does.
CREATE TABLE system_list (
  system   TEXT PRIMARY KEY,
  at       BIGINT NOT NULL,
  counted  BIGINT NOT NULL,
  accounts INTEGER NOT NULL,
  seen     INTEGER NOT NULL,
  note     TEXT NOT NULL,
  brake    TEXT NOT NULL
);
