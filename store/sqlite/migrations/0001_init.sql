-- The first schema. Times are Unix microseconds, flags 0 or 1, JSON is text,
-- documents are the bytes that were signed. The same numbers and the same
-- columns stand in ../../postgres/migrations; a test compares them.

CREATE TABLE node (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    base_url        TEXT    NOT NULL,
    incarnation     INTEGER NOT NULL, -- Unix seconds of init or of the last restore
    territory       TEXT    NOT NULL, -- JSON of essaim.Territory
    key_fingerprint TEXT    NOT NULL,
    demo            INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
);

-- One counter for events and changes; taken last in a transaction.
CREATE TABLE counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
);

-- Actor names and slugs, allotted for good.
CREATE TABLE name (
    space      TEXT    NOT NULL, -- 'actor', or a kind for slugs
    name       TEXT    NOT NULL,
    ref        TEXT    NOT NULL, -- what it was allotted to
    created_at INTEGER NOT NULL,
    PRIMARY KEY (space, name)
);

CREATE TABLE import (
    id          INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    file        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    licence     TEXT    NOT NULL,
    attribution TEXT    NOT NULL,
    report      TEXT    NOT NULL, -- JSON
    undone_at   INTEGER
);

-- Local and replicated records; origin '' is here. content is the JSON of
-- essaim.Content; the columns repeat what is filtered and sorted.
CREATE TABLE record (
    rid            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    kind           TEXT    NOT NULL,
    slug           TEXT    NOT NULL,
    origin         TEXT    NOT NULL,
    territory      TEXT    NOT NULL,
    territory_name TEXT    NOT NULL,
    url            TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    incarnation    INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    number         INTEGER NOT NULL, -- change number of its latest publication; 0 = never published
    title          TEXT    NOT NULL,
    stage          TEXT    NOT NULL,
    starts_at      INTEGER,
    ends_at        INTEGER,
    reusable       INTEGER NOT NULL, -- its licence lets others keep and serve it
    content        TEXT    NOT NULL,
    document       BLOB,
    content_digest TEXT    NOT NULL,
    copy_digest    TEXT    NOT NULL,
    activity_id    TEXT    NOT NULL, -- of its latest publication
    published_at   INTEGER,
    updated_at     INTEGER NOT NULL,
    received_at    INTEGER, -- of a replicated version
    import_id      INTEGER REFERENCES import (id),
    source_key     TEXT, -- of an imported row
    source_digest  TEXT, -- of the row as last imported
    position       INTEGER NOT NULL, -- its place in every list: updated_at made unique, see store/position.go
    UNIQUE (kind, origin, slug)
);
CREATE UNIQUE INDEX record_position ON record (position);
CREATE INDEX record_listed ON record (state, position);
CREATE INDEX record_by_slug ON record (origin, slug);
CREATE INDEX record_by_origin ON record (origin, state, position);
CREATE INDEX record_by_territory ON record (territory, state, position);
CREATE INDEX record_by_number ON record (origin, number);
CREATE INDEX record_by_import ON record (import_id) WHERE import_id IS NOT NULL;
CREATE UNIQUE INDEX record_by_source ON record (source_key) WHERE source_key IS NOT NULL;
CREATE INDEX record_upcoming ON record (ends_at, id) WHERE ends_at IS NOT NULL;

CREATE TABLE record_place (
    pid         INTEGER PRIMARY KEY,
    rid         INTEGER NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    lat         REAL,
    lon         REAL,
    insee       TEXT NOT NULL,
    epci        TEXT NOT NULL,
    departement TEXT NOT NULL,
    region      TEXT NOT NULL
);
CREATE INDEX record_place_of ON record_place (rid);
CREATE INDEX record_place_insee ON record_place (insee, rid);

CREATE TABLE record_theme (
    rid    INTEGER NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    theme  TEXT    NOT NULL,
    direct INTEGER NOT NULL, -- 0 for a theme above the one chosen
    PRIMARY KEY (theme, rid)
);
CREATE INDEX record_theme_of ON record_theme (rid);

-- One row for each published record, found by words and by filter at once.
-- head holds the terms of title and tagline, body those of the rest, filter a
-- term for each value of a facet and each map cell; see store/searchdoc.go.
CREATE TABLE search (
    position INTEGER PRIMARY KEY, -- as record.position
    rid      INTEGER NOT NULL REFERENCES record (rid),
    filter   TEXT    NOT NULL,
    head     TEXT    NOT NULL,
    body     TEXT    NOT NULL
);
CREATE UNIQUE INDEX search_of ON search (rid);
-- PostgreSQL has the column terms with a GIN index instead of head, body and
-- this table. secure-delete takes erased words out of the index at once.
CREATE VIRTUAL TABLE search_term USING fts5 (head, body, filter, content = 'search', content_rowid = 'position', tokenize = 'ascii', columnsize = 0);
INSERT INTO search_term (search_term, rank) VALUES ('secure-delete', 1);

CREATE TABLE relation (
    rid    INTEGER NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    type   TEXT    NOT NULL,
    target TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    PRIMARY KEY (rid, type, target)
);
CREATE INDEX relation_to ON relation (target, type);

CREATE TABLE revision (
    rid         INTEGER NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    revision    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    author_id   INTEGER NOT NULL, -- 0 for a process
    author_name TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    PRIMARY KEY (rid, revision)
);

-- What may never come back, seen before or not.
CREATE TABLE tombstone (
    id       TEXT PRIMARY KEY,
    kind     TEXT    NOT NULL,
    origin   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    document BLOB
);

-- Counters of the unfiltered list.
CREATE TABLE facet (
    facet TEXT    NOT NULL, -- 'kind', 'theme', 'territory', 'stage', 'origin'
    value TEXT    NOT NULL,
    label TEXT    NOT NULL, -- a territory's name
    n     INTEGER NOT NULL,
    PRIMARY KEY (facet, value)
);

-- Activities of ours, as signed. After an erasure bytes is null.
CREATE TABLE activity (
    id    TEXT PRIMARY KEY,
    type  TEXT    NOT NULL,
    actor TEXT    NOT NULL,
    rid   INTEGER,
    bytes BLOB,
    at    INTEGER NOT NULL
);
CREATE INDEX activity_of_record ON activity (rid) WHERE rid IS NOT NULL;

-- What is to be fanned out, in the order of numbers.
CREATE TABLE event (
    n           INTEGER PRIMARY KEY,
    activity_id TEXT NOT NULL,
    actor       TEXT NOT NULL, -- its followers and the node's receive it
    order_key   TEXT NOT NULL
);

-- Events up to n are fanned out; inbox is how far a later one is that has more
-- inboxes than one short transaction writes: its number and its last inbox.
CREATE TABLE dispatch_cursor (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    n     INTEGER NOT NULL,
    inbox TEXT    NOT NULL
);

CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY,
    activity_id TEXT    NOT NULL,
    actor       TEXT    NOT NULL, -- local actor that signs
    host        TEXT    NOT NULL,
    inbox       TEXT    NOT NULL,
    order_key   TEXT    NOT NULL,
    n           INTEGER NOT NULL, -- the event's number; 0 for a direct one
    state       TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    done_at     INTEGER
);
CREATE INDEX delivery_due ON delivery (host, next_at, id) WHERE state = 'waiting';
CREATE INDEX delivery_order ON delivery (inbox, order_key, id) WHERE state = 'waiting';
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE state = 'waiting' AND lease_until > 0;
CREATE INDEX delivery_of_activity ON delivery (activity_id);
CREATE INDEX delivery_ended ON delivery (state, done_at) WHERE state <> 'waiting';

CREATE TABLE host (
    host         TEXT PRIMARY KEY,
    next_at      INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    down_since   INTEGER,
    last_success INTEGER,
    last_reason  TEXT    NOT NULL,
    rfc9421      INTEGER NOT NULL
);

CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY,
    activity_id TEXT    NOT NULL UNIQUE,
    type        TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    object      TEXT    NOT NULL, -- of what was applied, so that its erasure finds raw
    raw         BLOB, -- null once erased
    state       TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    done_at     INTEGER
);
CREATE INDEX inbox_due ON inbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX inbox_leased ON inbox (lease_until, actor) WHERE state = 'waiting' AND lease_until > 0;
CREATE INDEX inbox_of_actor ON inbox (actor);
CREATE INDEX inbox_of_object ON inbox (object) WHERE object <> '';
CREATE INDEX inbox_ended ON inbox (state, done_at) WHERE state <> 'waiting';

-- Actors elsewhere, as last fetched.
CREATE TABLE actor (
    id           TEXT PRIMARY KEY,
    type         TEXT    NOT NULL,
    username     TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    icon         TEXT    NOT NULL,
    inbox        TEXT    NOT NULL,
    shared_inbox TEXT    NOT NULL,
    outbox       TEXT    NOT NULL,
    document     BLOB,
    fetched_at   INTEGER NOT NULL,
    gone         INTEGER NOT NULL
);
CREATE TABLE actor_key (
    id    TEXT PRIMARY KEY,
    actor TEXT NOT NULL REFERENCES actor (id) ON DELETE CASCADE,
    pem   TEXT NOT NULL
);
CREATE INDEX actor_key_of ON actor_key (actor);

CREATE TABLE follower (
    local      TEXT    NOT NULL,
    remote     TEXT    NOT NULL,
    follow_id  TEXT    NOT NULL,
    inbox      TEXT    NOT NULL, -- shared when there is one
    host       TEXT    NOT NULL,
    state      TEXT    NOT NULL, -- 'accepted', 'pending'
    created_at INTEGER NOT NULL,
    PRIMARY KEY (local, remote)
);
CREATE INDEX follower_inbox ON follower (local, state, inbox);
CREATE INDEX follower_remote ON follower (remote);

CREATE TABLE peer (
    host           TEXT PRIMARY KEY,
    state          TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    territory      TEXT    NOT NULL,
    territory_name TEXT    NOT NULL,
    username       TEXT    NOT NULL,
    url            TEXT    NOT NULL,
    inbox          TEXT    NOT NULL,
    follow_id      TEXT    NOT NULL,
    followed_at    INTEGER,
    last_received  INTEGER,
    created_at     INTEGER NOT NULL
);
CREATE INDEX peer_by_follow ON peer (follow_id);

CREATE TABLE reaction (
    kind        TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    activity_id TEXT    NOT NULL UNIQUE,
    at          INTEGER NOT NULL,
    PRIMARY KEY (object, kind, actor)
);
CREATE INDEX reaction_of_actor ON reaction (actor);

CREATE TABLE comment (
    id           TEXT PRIMARY KEY,
    actor        TEXT    NOT NULL,
    in_reply_to  TEXT    NOT NULL,
    document     BLOB    NOT NULL,
    state        TEXT    NOT NULL, -- 'held', 'shown', 'hidden'
    published_at INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    received_at  INTEGER NOT NULL
);
CREATE INDEX comment_to ON comment (in_reply_to, published_at);
CREATE INDEX comment_of_actor ON comment (actor);

CREATE TABLE block (
    scope      TEXT    NOT NULL, -- 'host' or 'actor'
    value      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (scope, value)
);

-- Accounts. Secrets are stored as SHA-256.
CREATE TABLE account (
    id         INTEGER PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    disabled   INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE session (
    hash       TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX session_of ON session (account_id);
CREATE INDEX session_expiry ON session (expires_at);
CREATE TABLE token (
    hash       TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    label      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX token_of ON token (account_id);
CREATE TABLE signin (
    hash       TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
);
CREATE INDEX signin_of ON signin (account_id);
CREATE INDEX signin_expiry ON signin (expires_at);

INSERT INTO counter (id, n) VALUES (1, 0);
INSERT INTO dispatch_cursor (id, n, inbox) VALUES (1, 0, '');
