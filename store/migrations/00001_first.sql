-- One text for SQLite and PostgreSQL: ids are TEXT, instants BIGINT microseconds since 1970 UTC (0: none), truths INTEGER,
-- structures JSON in TEXT, secrets and personal values sealed boxes in TEXT.

-- +goose Up
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- What sources said. The raw body is sealed and expires.
CREATE TABLE event (
  id        TEXT PRIMARY KEY,
  source    TEXT NOT NULL,
  source_id TEXT NOT NULL,
  type      TEXT NOT NULL,
  subject   TEXT NOT NULL,
  at        BIGINT NOT NULL,
  received  BIGINT NOT NULL,
  state     TEXT NOT NULL,
  person    TEXT NOT NULL,
  run       TEXT NOT NULL,
  note      TEXT NOT NULL,
  tries     INTEGER NOT NULL,
  body_hash TEXT NOT NULL,
  body      TEXT NOT NULL
);
CREATE UNIQUE INDEX event_source_id ON event (source, source_id) WHERE source_id <> '';
CREATE INDEX event_open ON event (id) WHERE state = 'received';
CREATE INDEX event_quarantined ON event (id) WHERE state = 'quarantined';
CREATE INDEX event_subject ON event (source, subject, id);
CREATE INDEX event_person ON event (person, id);

-- A person: the key under which personal values lie, and what lists are searched by. Destroying key_box erases her.
CREATE TABLE person (
  id       TEXT PRIMARY KEY,
  key_box  TEXT NOT NULL,
  managed  INTEGER NOT NULL,
  created  BIGINT NOT NULL,
  wake     BIGINT NOT NULL,
  name     TEXT NOT NULL,
  search   TEXT NOT NULL,
  email    TEXT NOT NULL,
  manager  TEXT NOT NULL,
  title    TEXT NOT NULL,
  department TEXT NOT NULL,
  team     TEXT NOT NULL,
  location TEXT NOT NULL,
  status   TEXT NOT NULL,
  starts   BIGINT NOT NULL,
  ends     BIGINT NOT NULL,
  buddy    TEXT NOT NULL
);
CREATE INDEX person_name ON person (search, id);
CREATE INDEX person_status ON person (status, search, id);
CREATE INDEX person_department ON person (department, search, id);
CREATE INDEX person_email ON person (email);
CREATE INDEX person_manager ON person (manager, search, id);
CREATE INDEX person_team ON person (team, search, id);
CREATE INDEX person_starts ON person (starts, id);
CREATE INDEX person_wake ON person (wake) WHERE wake > 0;

CREATE TABLE employment (
  id        TEXT PRIMARY KEY,
  person    TEXT NOT NULL,
  source    TEXT NOT NULL,
  source_id TEXT NOT NULL,
  recorded  BIGINT NOT NULL
);
CREATE UNIQUE INDEX employment_source ON employment (source, source_id);
CREATE INDEX employment_person ON employment (person);

-- The timeline: from when it holds, and since when we know it. box holds the value of personal attributes, value of others.
CREATE TABLE fact (
  person     TEXT NOT NULL,
  engagement TEXT NOT NULL,
  attr       TEXT NOT NULL,
  effective  BIGINT NOT NULL,
  recorded   BIGINT NOT NULL,
  value      TEXT NOT NULL,
  box        TEXT NOT NULL,
  bad        INTEGER NOT NULL,
  source     TEXT NOT NULL,
  event      TEXT NOT NULL,
  PRIMARY KEY (person, engagement, attr, effective, recorded)
);

-- Runs: the plan, with every step as planned, is written once.
CREATE TABLE run (
  id      TEXT PRIMARY KEY,
  person  TEXT NOT NULL,
  event   TEXT NOT NULL,
  title   TEXT NOT NULL,
  state   TEXT NOT NULL,
  ending  TEXT NOT NULL,
  started BIGINT NOT NULL,
  ended   BIGINT NOT NULL,
  hash    TEXT NOT NULL,
  machine INTEGER NOT NULL,
  plan    TEXT NOT NULL,
  have    TEXT NOT NULL
);
CREATE UNIQUE INDEX run_active ON run (person) WHERE state IN ('running', 'waiting', 'undoing', 'held');
CREATE INDEX run_person ON run (person, id);
CREATE INDEX run_state ON run (state, id);

-- What moves of a step. A step without a row is pending, as planned. def is set only where the step is not as planned.
CREATE TABLE step (
  run     TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  system  TEXT NOT NULL,
  state   TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  tries   INTEGER NOT NULL,
  since   BIGINT NOT NULL,
  started BIGINT NOT NULL,
  ended   BIGINT NOT NULL,
  waited  BIGINT NOT NULL,
  next    BIGINT NOT NULL,
  out     TEXT NOT NULL,
  def     TEXT NOT NULL,
  PRIMARY KEY (run, seq)
);
CREATE INDEX step_open ON step (system, state) WHERE state IN ('running', 'retrying', 'waiting', 'failed', 'blocked');

CREATE TABLE holding (
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  system TEXT NOT NULL,
  kind   TEXT NOT NULL,
  ref    TEXT NOT NULL,
  state  TEXT NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (person, key)
);
CREATE INDEX holding_key ON holding (key, person);
CREATE INDEX holding_account ON holding (system, ref) WHERE kind = 'account';

-- Tasks belong to the grant and outlive the run: once is the step's.
CREATE TABLE task (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  run    TEXT NOT NULL,
  step   TEXT NOT NULL,
  once   TEXT NOT NULL,
  system TEXT NOT NULL,
  title  TEXT NOT NULL,
  note   TEXT NOT NULL,
  ask    TEXT NOT NULL,
  opened BIGINT NOT NULL,
  due    BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  by     TEXT NOT NULL,
  attrs  TEXT NOT NULL
);
CREATE UNIQUE INDEX task_once ON task (once) WHERE closed = 0;
CREATE INDEX task_open ON task (due, id) WHERE closed = 0;
CREATE INDEX task_person ON task (person, id);

CREATE TABLE secret (
  id      TEXT PRIMARY KEY,
  person  TEXT NOT NULL,
  box     TEXT NOT NULL,
  mark    TEXT NOT NULL,
  made    BIGINT NOT NULL,
  opened  BIGINT NOT NULL,
  tries   INTEGER NOT NULL
);
CREATE UNIQUE INDEX secret_mark ON secret (mark);
CREATE INDEX secret_person ON secret (person);

CREATE TABLE offer (
  key    TEXT PRIMARY KEY,
  system TEXT NOT NULL,
  ref    TEXT NOT NULL,
  roles  TEXT NOT NULL,
  title  TEXT NOT NULL,
  seen   BIGINT NOT NULL
);
CREATE INDEX offer_system ON offer (system);

-- The ledger. leaf names nobody; box holds what the system confirmed, under the person's key.
CREATE TABLE record (
  seq    BIGINT PRIMARY KEY,
  at     BIGINT NOT NULL,
  person TEXT NOT NULL,
  run    TEXT NOT NULL,
  system TEXT NOT NULL,
  what   TEXT NOT NULL,
  leaf   TEXT NOT NULL,
  chain  TEXT NOT NULL,
  box    TEXT NOT NULL
);
CREATE INDEX record_person ON record (person, seq);
CREATE INDEX record_run ON record (run, seq);
CREATE INDEX record_system ON record (system, seq);
