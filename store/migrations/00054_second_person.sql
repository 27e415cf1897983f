-- +goose Up
-- A release that takes two persons is proposed by one login and confirmed by another. What is said here counts while the brake
-- holds, and of what has this hash; logins are whoever is behind the proposal, one a line.
ALTER TABLE brake ADD COLUMN proposed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE brake ADD COLUMN proposed_logins TEXT NOT NULL DEFAULT '';
ALTER TABLE brake ADD COLUMN proposed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE brake ADD COLUMN proposed_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE brake ADD COLUMN proposed_hash TEXT NOT NULL DEFAULT '';

-- From when on an announced lay-off lets anybody pass; 0: once somebody else confirms it. Those of before named two persons, and count.
ALTER TABLE announced ADD COLUMN counts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE announced ADD COLUMN logins TEXT NOT NULL DEFAULT '';
UPDATE announced SET counts = made;

-- +goose Down
ALTER TABLE announced DROP COLUMN logins;
ALTER TABLE announced DROP COLUMN counts;
ALTER TABLE brake DROP COLUMN proposed_hash;
ALTER TABLE brake DROP COLUMN proposed_reason;
ALTER TABLE brake DROP COLUMN proposed_at;
ALTER TABLE brake DROP COLUMN proposed_logins;
ALTER TABLE brake DROP COLUMN proposed_by;
