-- +goose Up
-- Everything that is known of a person in one box, under her key: made of her employments and facts whenever one is written,
-- and read where everybody is. A person without a row here is read from those.
CREATE TABLE timeline (
  person TEXT PRIMARY KEY,
  box    TEXT NOT NULL
);
