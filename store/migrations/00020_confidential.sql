-- What is confidential until an instant. The row of a person shows what everybody may know; veil says how much is left out
-- of it (1: something, 2: that there is such a person), and unveil when she is looked at since some of that may be known.

-- +goose Up
ALTER TABLE person ADD COLUMN veil INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN unveil BIGINT NOT NULL DEFAULT 0;
CREATE INDEX person_veil ON person (veil, id) WHERE veil > 0;
CREATE INDEX person_unveil ON person (unveil) WHERE unveil > 0;
ALTER TABLE fact ADD COLUMN veiled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN veiled INTEGER NOT NULL DEFAULT 0;

-- Records that go into the ledger once what they are about may be known: a gap in it would tell as much as a line.
CREATE TABLE veiled_record (
  event  TEXT NOT NULL,
  number INTEGER NOT NULL,
  person TEXT NOT NULL,
  box    TEXT NOT NULL,
  PRIMARY KEY (event, number)
);
CREATE INDEX veiled_record_person ON veiled_record (person);
