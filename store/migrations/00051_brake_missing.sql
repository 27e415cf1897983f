-- +goose Up
-- Which employments the list lacks that a brake holds whole, until somebody decides; and its figures, which name nobody and stay.
CREATE TABLE brake_missing (
  brake   TEXT NOT NULL,
  subject TEXT NOT NULL,
  person  TEXT NOT NULL,
  PRIMARY KEY (brake, subject)
);
CREATE INDEX brake_missing_whose ON brake_missing (brake, person);
CREATE INDEX brake_missing_person ON brake_missing (person);
ALTER TABLE brake ADD COLUMN list TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE brake DROP COLUMN list;
DROP TABLE brake_missing;
