-- Actors of this node besides its own, and what they announce.

-- Those that have a row: feeds, people, and any of which something was chosen.
-- That of an initiative or an organisation is its record's until then.
CREATE TABLE local_actor (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE, -- as allotted in the table name
    kind       TEXT    NOT NULL, -- essaim.ActorKind
    subject    TEXT    NOT NULL, -- a theme's id, an INSEE code, a record's id, an account's number
    profile    TEXT    NOT NULL, -- JSON of essaim.Profile
    gone       INTEGER NOT NULL, -- deleted for good
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (kind, subject)
);

-- One row for each actor and object, for ever: what was announced is not
-- announced again.
CREATE TABLE announce (
    actor      TEXT    NOT NULL, -- of this node
    object     TEXT    NOT NULL, -- a record's id, or an activity's
    state      TEXT    NOT NULL, -- 'waiting', 'sent', 'quiet' (nobody followed), 'dropped'
    due_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER,
    PRIMARY KEY (actor, object)
);
CREATE INDEX announce_due ON announce (due_at, actor) WHERE state = 'waiting';
CREATE INDEX announce_next ON announce (actor, due_at, created_at, object) WHERE state = 'waiting';
CREATE INDEX announce_sent ON announce (actor, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX announce_made ON announce (actor, created_at);
CREATE INDEX announce_of ON announce (object);

-- A follower of the node's own actor gets what is published, or its announce.
ALTER TABLE follower ADD COLUMN takes TEXT NOT NULL DEFAULT 'activity';

CREATE INDEX name_of ON name (ref) WHERE space = 'actor';
