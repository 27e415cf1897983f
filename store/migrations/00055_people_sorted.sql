-- +goose Up
-- The list of people is sorted by the first day and by the last one, too, and whoever has the same one stands by name: the indexes of
-- these days go on by it. By department there is one already.
DROP INDEX person_starts;
DROP INDEX person_ends;
CREATE INDEX person_starts ON person (starts, search, id);
CREATE INDEX person_ends ON person (ends, search, id);

-- +goose Down
DROP INDEX person_ends;
DROP INDEX person_starts;
CREATE INDEX person_starts ON person (starts, id);
CREATE INDEX person_ends ON person (ends, id) WHERE ends > 0;
