-- +goose Up
-- What waits at each system is counted for the dashboard: the open tasks of systems are found among all that are open.
CREATE INDEX task_at ON task (system, run, seq) WHERE closed = 0 AND system <> '';

-- +goose Down
DROP INDEX task_at;
