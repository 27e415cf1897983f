-- +goose Up
-- By which words somebody is found as one types: the name from each of its words on, and the mail address. Written in
-- hexadecimal digits, since they sort alike in every database and language.
CREATE TABLE person_word (
  word   TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (word, person)
);
CREATE INDEX person_word_of ON person_word (person);

-- how many there are of each status is counted by it
CREATE INDEX person_listed ON person (status) WHERE key_box <> '' AND merged = '';

-- +goose Down
DROP INDEX person_listed;
DROP TABLE person_word;
