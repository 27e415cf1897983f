-- +goose Up
-- What numbers.yaml said, each time that it was changed; the newest counts.
CREATE TABLE number_plan (
  seq    INTEGER PRIMARY KEY,
  at     BIGINT NOT NULL,
  author TEXT NOT NULL,
  body   TEXT NOT NULL
);

-- Every number there is, with one owner. tail is its digits from the end. The box lies under the key of nobody, and is there
-- only where nobody in the books owns it.
CREATE TABLE number (
  id        TEXT PRIMARY KEY,
  pool      TEXT NOT NULL,
  block     TEXT NOT NULL, -- the first number of its range
  platform  TEXT NOT NULL,
  part      TEXT NOT NULL, -- partition
  pattern   TEXT NOT NULL,
  e164      TEXT NOT NULL,
  tail      TEXT NOT NULL,
  state     TEXT NOT NULL,
  since     BIGINT NOT NULL,
  used      BIGINT NOT NULL, -- when somebody gave it back; 0: nobody ever had it
  until     BIGINT NOT NULL, -- of the state's timer
  owner     TEXT NOT NULL,
  last      TEXT NOT NULL,   -- who had it before
  vanity    INTEGER NOT NULL,
  confirmed BIGINT NOT NULL,
  box       TEXT NOT NULL
);
CREATE UNIQUE INDEX number_pattern ON number (platform, part, pattern);
CREATE UNIQUE INDEX number_e164 ON number (e164) WHERE e164 <> '';
CREATE INDEX number_free ON number (pool, block, used, id) WHERE state = 'available' AND vanity = 0;
CREATE INDEX number_state ON number (pool, block, state);
CREATE INDEX number_awaited ON number (pool, since, id) WHERE state = 'reserved' AND owner = '';
CREATE INDEX number_tail ON number (tail);
CREATE INDEX number_owner ON number (owner) WHERE owner <> '';
CREATE INDEX number_last ON number (last) WHERE last <> '';
CREATE INDEX number_timer ON number (until) WHERE state IN ('reserved', 'quarantine') AND until > 0;

-- Where a number rings besides at its owner's. The box holds the device's name, under the person's key.
CREATE TABLE number_shown (
  number TEXT NOT NULL,
  slot   INTEGER NOT NULL,
  role   TEXT NOT NULL,
  person TEXT NOT NULL,
  since  BIGINT NOT NULL,
  box    TEXT NOT NULL,
  PRIMARY KEY (number, slot)
);
CREATE INDEX number_shown_person ON number_shown (person) WHERE person <> '';

-- What became of every number. The box holds why, under the key of the person it is about.
CREATE TABLE number_event (
  number TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  at     BIGINT NOT NULL,
  what   TEXT NOT NULL,
  was    TEXT NOT NULL,
  state  TEXT NOT NULL,
  person TEXT NOT NULL,
  author TEXT NOT NULL,
  box    TEXT NOT NULL,
  PRIMARY KEY (number, seq)
);
CREATE INDEX number_event_at ON number_event (at);
CREATE INDEX number_event_person ON number_event (person) WHERE person <> '';
