-- +goose Up
-- Who works on a PostgreSQL database: one row. Each leadership takes the next epoch, and a leader's every commit holds the
-- row by the epoch that it took, so that a displaced one finds nothing to hold and commits nothing. The epoch is the key:
-- holding it leaves renewed free to move. SQLite's owner holds a file, and has no row to renew.
CREATE TABLE leader (
  epoch   BIGINT PRIMARY KEY,
  name    TEXT NOT NULL,
  at      TEXT NOT NULL,
  since   BIGINT NOT NULL,
  renewed BIGINT NOT NULL,
  lasts   BIGINT NOT NULL
);
INSERT INTO leader (epoch, name, at, since, renewed, lasts) VALUES (0, '', '', 0, 0, 0);
