-- +goose Up
-- A person as she was when she was last planned for: who is told of changes is told of what is different since.
ALTER TABLE person ADD COLUMN told TEXT NOT NULL DEFAULT '';

-- Messages that are gathered for a day. They lie under the key of the person they are about; whom they go to is an address
-- of work, as managers' are.
CREATE TABLE digest_line (
  once      TEXT NOT NULL,
  recipient TEXT NOT NULL,
  person    TEXT NOT NULL,
  at        BIGINT NOT NULL,
  due       BIGINT NOT NULL, -- of its day: with the recipient the id of the message
  next      BIGINT NOT NULL, -- when it is sent, or tried again; 0: it was sent
  box       TEXT NOT NULL,
  PRIMARY KEY (once, recipient)
);
CREATE INDEX digest_next ON digest_line (next) WHERE next > 0;
CREATE INDEX digest_due ON digest_line (due, recipient);
CREATE INDEX digest_person ON digest_line (person);
