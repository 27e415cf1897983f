-- Roles with a scope see people of some countries and companies only, so both stand beside the name, in small letters. placed
-- says that somebody looked: whoever was in the books before is looked at once more; until then it is unknown where they are.

-- +goose Up
ALTER TABLE person ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN company TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_country ON person (country, search, id);
CREATE INDEX person_company ON person (company, search, id);
CREATE INDEX person_placed ON person (country, company, status);
CREATE INDEX person_unplaced ON person (id) WHERE placed = 0;

-- How far the role of a token reaches, as JSON; '': everywhere.
ALTER TABLE api_token ADD COLUMN reach TEXT NOT NULL DEFAULT '';

-- The administrator of the first start, where neither an identity provider nor a token lets anybody in: a name, and what argon2id
-- made of a password. There is one at most. A link that sets her up is older than made once it was used.
CREATE TABLE local_login (
  name TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  made BIGINT NOT NULL
);
