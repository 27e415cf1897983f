-- +goose Up
-- What failed at one system, the newest first: its page does not look through what failed at all the others.
CREATE INDEX step_failed_there ON step (system, since, run) WHERE state = 'failed';

-- What is known of somebody at one system is touched by each reading, and a list is narrowed by system and kind at once: neither
-- goes through all that differs there.
CREATE INDEX drift_whose ON drift (person, system);
CREATE INDEX drift_like ON drift (system, kind, id);

-- +goose Down
DROP INDEX drift_like;
DROP INDEX drift_whose;
DROP INDEX step_failed_there;
