-- +goose Up
-- An event of which a human is asked whose it is: before this it was held, as what lies behind a brake is.
UPDATE event SET state = 'asked' WHERE state = 'held' AND (brake = '' OR NOT EXISTS (SELECT 1 FROM brake b WHERE b.id = event.brake AND b.state IN ('on', 'making')));
CREATE INDEX event_asked ON event (id) WHERE state = 'asked';
