-- Accounts elsewhere that the node follows, what they publish as candidates, and
-- what is to be fetched for that.
CREATE TABLE followed (
    actor         TEXT PRIMARY KEY,
    handle        TEXT    NOT NULL, -- user@host
    name          TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    inbox         TEXT    NOT NULL,
    state         TEXT    NOT NULL, -- as peer.state
    follow_id     TEXT    NOT NULL,
    agreed        TEXT    NOT NULL, -- licence under which its author lets whole texts be kept
    created_at    INTEGER NOT NULL,
    followed_at   INTEGER
);
CREATE INDEX followed_by_follow ON followed (follow_id);

CREATE TABLE candidate (
    object       TEXT PRIMARY KEY, -- its id elsewhere
    record       TEXT    NOT NULL, -- id of the record made of it; set aside when there is none
    author       TEXT    NOT NULL,
    brought_by   TEXT    NOT NULL, -- followed account or node whose activity brought it
    announce     TEXT    NOT NULL, -- the activity that announced it; '' for its author's own
    updated_at   INTEGER NOT NULL, -- there
    received_at  INTEGER NOT NULL
);
CREATE INDEX candidate_record ON candidate (record);
CREATE INDEX candidate_of_author ON candidate (author);
CREATE INDEX candidate_brought ON candidate (brought_by, object);
CREATE INDEX candidate_announce ON candidate (announce) WHERE announce <> '';

CREATE TABLE wanted (
    object      TEXT PRIMARY KEY,
    host        TEXT    NOT NULL,
    brought_by  TEXT    NOT NULL,
    announce    TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
);
CREATE INDEX wanted_due ON wanted (next_at, object);
CREATE INDEX wanted_leased ON wanted (host, lease_until) WHERE lease_until > 0;
CREATE INDEX wanted_brought ON wanted (brought_by);
CREATE INDEX wanted_announce ON wanted (announce) WHERE announce <> '';

-- Whether its document says that it refuses to be indexed (FEP-5feb).
ALTER TABLE actor ADD COLUMN unindexed INTEGER NOT NULL DEFAULT 0;
