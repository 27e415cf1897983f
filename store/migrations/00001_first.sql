-- One text for SQLite and PostgreSQL: ids are TEXT, instants BIGINT microseconds since 1970 UTC (0: none), truths INTEGER,
-- structures JSON in TEXT. A box is sealed, in TEXT: JSON under the key of the row's person, or a secret under the master key.
-- store/personal.go says what is not in a box, and why.

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
  next      BIGINT NOT NULL, -- when it is looked at, or looked at again
  body_hash TEXT NOT NULL,
  body      TEXT NOT NULL
);
CREATE UNIQUE INDEX event_source_id ON event (source, source_id) WHERE source_id <> '';
CREATE INDEX event_open ON event (source, next, id) WHERE state = 'received';
CREATE INDEX event_quarantined ON event (id) WHERE state = 'quarantined';
CREATE INDEX event_subject ON event (source, subject, id);
CREATE INDEX event_person ON event (person, id);

-- A person: the key under which everything about her lies, and what lists are searched by. Emptying both erases her.
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
  buddy    TEXT NOT NULL,
  problem  TEXT NOT NULL -- why no plan could be made when she was last looked at; '': one could
);
CREATE INDEX person_name ON person (search, id);
CREATE INDEX person_status ON person (status, search, id);
CREATE INDEX person_department ON person (department, search, id);
CREATE INDEX person_email ON person (email);
CREATE INDEX person_manager ON person (manager, search, id);
CREATE INDEX person_team ON person (team, search, id);
CREATE INDEX person_starts ON person (starts, id);
CREATE INDEX person_wake ON person (wake) WHERE wake > 0;
CREATE INDEX person_erased ON person (status) WHERE key_box = '';
CREATE INDEX person_problem ON person (search, id) WHERE problem <> '';

CREATE TABLE employment (
  id        TEXT PRIMARY KEY,
  person    TEXT NOT NULL,
  source    TEXT NOT NULL,
  source_id TEXT NOT NULL,
  recorded  BIGINT NOT NULL
);
CREATE UNIQUE INDEX employment_source ON employment (source, source_id);
CREATE INDEX employment_person ON employment (person);

-- The timeline: from when it holds, when the source said so first and last, and since when we know it.
CREATE TABLE fact (
  person     TEXT NOT NULL,
  engagement TEXT NOT NULL,
  attr       TEXT NOT NULL,
  effective  BIGINT NOT NULL,
  said       BIGINT NOT NULL,
  again      BIGINT NOT NULL,
  recorded   BIGINT NOT NULL,
  box        TEXT NOT NULL,
  personal   INTEGER NOT NULL,
  bad        INTEGER NOT NULL,
  source     TEXT NOT NULL,
  event      TEXT NOT NULL,
  PRIMARY KEY (person, engagement, attr, effective, recorded)
);

-- Runs: the plan, with every step as planned, and what was there before are written once.
CREATE TABLE run (
  id      TEXT PRIMARY KEY,
  person  TEXT NOT NULL,
  event   TEXT NOT NULL,
  state   TEXT NOT NULL,
  ending  TEXT NOT NULL,
  started BIGINT NOT NULL,
  ended   BIGINT NOT NULL,
  hash    TEXT NOT NULL,
  machine INTEGER NOT NULL,
  title_box TEXT NOT NULL,
  box     TEXT NOT NULL
);
CREATE UNIQUE INDEX run_active ON run (person) WHERE state IN ('running', 'waiting', 'undoing', 'held');
CREATE INDEX run_person ON run (person, id);
CREATE INDEX run_state ON run (state, id);

-- What moves of a step. A step without a row is pending, as planned.
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
  box     TEXT NOT NULL,
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
  box    TEXT NOT NULL,
  PRIMARY KEY (person, key)
);
CREATE INDEX holding_key ON holding (key, person);
CREATE INDEX holding_account ON holding (system, ref) WHERE kind = 'account';
-- An account is bound to one person at most, and as one of her accounts: else it is closed when the other one leaves.
CREATE UNIQUE INDEX holding_bound ON holding (system, ref) WHERE kind = 'account' AND state <> 'gone' AND ref <> '';

-- Tasks belong to the grant and outlive the run: once is the step's.
CREATE TABLE task (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  run    TEXT NOT NULL,
  step   TEXT NOT NULL,
  once   TEXT NOT NULL,
  system TEXT NOT NULL,
  opened BIGINT NOT NULL,
  due    BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  box    TEXT NOT NULL,
  done_box TEXT NOT NULL
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
