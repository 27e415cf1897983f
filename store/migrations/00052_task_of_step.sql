-- +goose Up
-- A task knows which step of its run opened it: a step that waits for its system and for somebody is counted once. -1: no step did,
-- or it was opened before tasks knew.
ALTER TABLE task ADD COLUMN seq BIGINT NOT NULL DEFAULT -1;

-- +goose Down
ALTER TABLE task DROP COLUMN seq;
