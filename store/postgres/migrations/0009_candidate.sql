-- Accounts elsewhere that the node follows, what they publish as candidates, and
-- what is to be fetched for that.
CREATE TABLE followed (
    actor         TEXT COLLATE "C" PRIMARY KEY,
    handle        TEXT COLLATE "C"    NOT NULL, -- user@host
    name          TEXT COLLATE "C"    NOT NULL,
    url           TEXT COLLATE "C"    NOT NULL,
    inbox         TEXT COLLATE "C"    NOT NULL,
    state         TEXT COLLATE "C"    NOT NULL, -- as peer.state
    follow_id     TEXT COLLATE "C"    NOT NULL,
    agreed        TEXT COLLATE "C"    NOT NULL, -- licence under which its author lets whole texts be kept
    created_at    BIGINT NOT NULL,
    followed_at   BIGINT
);
CREATE INDEX followed_by_follow ON followed (follow_id);

CREATE TABLE candidate (
    object       TEXT COLLATE "C" PRIMARY KEY, -- its id elsewhere
    record       TEXT COLLATE "C"    NOT NULL, -- id of the record made of it; set aside when there is none
    author       TEXT COLLATE "C"    NOT NULL,
    brought_by   TEXT COLLATE "C"    NOT NULL, -- followed account or node whose activity brought it
    announce     TEXT COLLATE "C"    NOT NULL, -- the activity that announced it; '' for its author's own
    updated_at   BIGINT NOT NULL, -- there
    received_at  BIGINT NOT NULL
);
CREATE INDEX candidate_record ON candidate (record);
CREATE INDEX candidate_of_author ON candidate (author);
CREATE INDEX candidate_brought ON candidate (brought_by, object);
CREATE INDEX candidate_announce ON candidate (announce) WHERE announce <> '';

CREATE TABLE wanted (
    object      TEXT COLLATE "C" PRIMARY KEY,
    host        TEXT COLLATE "C"    NOT NULL,
    brought_by  TEXT COLLATE "C"    NOT NULL,
    announce    TEXT COLLATE "C"    NOT NULL,
    attempt     BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);
CREATE INDEX wanted_due ON wanted (next_at, object);
CREATE INDEX wanted_leased ON wanted (host, lease_until) WHERE lease_until > 0;
CREATE INDEX wanted_brought ON wanted (brought_by);
CREATE INDEX wanted_announce ON wanted (announce) WHERE announce <> '';

-- Whether its document says that it refuses to be indexed (FEP-5feb).
ALTER TABLE actor ADD COLUMN unindexed BIGINT NOT NULL DEFAULT 0;
