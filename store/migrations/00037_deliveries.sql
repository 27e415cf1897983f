-- +goose Up
-- What was told to one webhook, the newest first.
CREATE INDEX outbox_via ON outbox (via, made);
