-- +goose Up
-- A run that somebody tries again ends again: it is counted once for each end, and adds what was done since the end before. counted
-- is 1 when its last end is counted, counted_to is the last end that is.
ALTER TABLE run ADD COLUMN counted_to BIGINT NOT NULL DEFAULT 0;
UPDATE run SET counted_to = ended WHERE counted = 1;
UPDATE run SET counted = 0 WHERE counted = 1 AND ended = 0;

-- Whoever was erased, or merged into another, leaves nothing of her first day.
DELETE FROM ready WHERE NOT EXISTS (SELECT 1 FROM person WHERE person.id = ready.person AND person.key_box <> '' AND person.merged = '');

-- +goose Down
ALTER TABLE run DROP COLUMN counted_to;
