-- +goose Up
-- What is held at a system is counted, and found, without the holdings themselves: they are long, and sealed.
CREATE INDEX holding_system ON holding (system, person, kind, state);

-- +goose Down
DROP INDEX holding_system;
