-- Actors of this node besides its own, and what they announce.

-- Those that have a row: feeds, people, and any of which something was chosen.
-- That of an initiative or an organisation is its record's until then.
CREATE TABLE local_actor (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL UNIQUE, -- as allotted in the table name
    kind       TEXT COLLATE "C" NOT NULL, -- essaim.ActorKind
    subject    TEXT COLLATE "C" NOT NULL, -- a theme's id, an INSEE code, a record's id, an account's number
    profile    TEXT COLLATE "C" NOT NULL, -- JSON of essaim.Profile
    gone       BIGINT NOT NULL, -- deleted for good
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, subject)
);

-- One row for each actor and object, for ever: what was announced is not
-- announced again.
CREATE TABLE announce (
    actor      TEXT COLLATE "C" NOT NULL, -- of this node
    object     TEXT COLLATE "C" NOT NULL, -- a record's id, or an activity's
    state      TEXT COLLATE "C" NOT NULL, -- 'waiting', 'sent', 'quiet' (nobody followed), 'dropped'
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at    BIGINT,
    PRIMARY KEY (actor, object)
);
CREATE INDEX announce_due ON announce (due_at, actor) WHERE state = 'waiting';
CREATE INDEX announce_next ON announce (actor, due_at, created_at, object) WHERE state = 'waiting';
CREATE INDEX announce_sent ON announce (actor, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX announce_made ON announce (actor, created_at);
CREATE INDEX announce_of ON announce (object);

-- A follower of the node's own actor gets what is published, or its announce.
ALTER TABLE follower ADD COLUMN takes TEXT COLLATE "C" NOT NULL DEFAULT 'activity';

CREATE INDEX name_of ON name (ref) WHERE space = 'actor';
