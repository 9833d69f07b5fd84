-- What an actor says of itself, to erase it with the actor.
CREATE INDEX activity_of_actor ON activity (actor) WHERE rid IS NULL AND bytes IS NOT NULL;
