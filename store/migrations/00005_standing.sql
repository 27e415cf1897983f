-- +goose Up
-- What humans said about calls to systems: stop, maintenance, by hand. Rows are kept: they say what held when.
CREATE TABLE system_order (
  id     TEXT PRIMARY KEY,
  kind   TEXT NOT NULL,
  system TEXT NOT NULL, -- '': every system
  since  BIGINT NOT NULL,
  until  BIGINT NOT NULL, -- 0: until it is lifted
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  made   BIGINT NOT NULL,
  lifted BIGINT NOT NULL,
  lifted_by     TEXT NOT NULL,
  lifted_reason TEXT NOT NULL,
  recorded INTEGER NOT NULL -- what of it the ledger has: 0 nothing, 1 that it was given, 2 that it was lifted, too
);
CREATE INDEX system_order_open ON system_order (made, id) WHERE lifted = 0;
CREATE INDEX system_order_unrecorded ON system_order (made, id) WHERE recorded = 0 OR recorded = 1;

-- Breakers of systems that were ever down.
CREATE TABLE circuit (
  system   TEXT PRIMARY KEY,
  state    TEXT NOT NULL,
  failures INTEGER NOT NULL,
  since    BIGINT NOT NULL,
  next     BIGINT NOT NULL,
  probes   INTEGER NOT NULL,
  note     TEXT NOT NULL
);
