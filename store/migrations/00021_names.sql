-- +goose Up
-- Names that were ever given, by a salted digest: nobody else ever gets one, also when their owner was erased.
CREATE TABLE name (
  attr   TEXT NOT NULL,
  digest TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (attr, digest)
);
CREATE INDEX name_person ON name (person);
