-- What moderators decide about, numbered together: comments, reports,
-- candidates. What each holds is in a table of its kind.
CREATE TABLE item (
    n           INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL, -- 'comment', 'report', 'candidate'
    ref         TEXT    NOT NULL, -- id in the table of its kind
    state       TEXT    NOT NULL, -- 'held', 'accepted', 'hidden'
    actor       TEXT    NOT NULL, -- elsewhere, that it is of
    about       TEXT    NOT NULL, -- id of a record here
    excerpt     TEXT    NOT NULL, -- plain text
    received_at INTEGER NOT NULL,
    UNIQUE (kind, ref)
);
CREATE INDEX item_state ON item (state, n);
CREATE INDEX item_of_actor ON item (actor, kind, state) WHERE actor <> '';

-- The journal of moderation.
CREATE TABLE decision (
    n            INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    account_id   INTEGER NOT NULL, -- 0 for the command line
    action       TEXT    NOT NULL,
    kind         TEXT    NOT NULL, -- of the subject: as item.kind, 'host' or 'actor'
    subject      TEXT    NOT NULL,
    before_state TEXT    NOT NULL,
    after_state  TEXT    NOT NULL,
    reason       TEXT    NOT NULL
);
CREATE INDEX decision_about ON decision (subject, kind, n);

-- A comment is kept as it is shown, not as the document that came. None was
-- ever shown before.
DROP TABLE comment;
CREATE TABLE comment (
    id           TEXT PRIMARY KEY,
    n            INTEGER NOT NULL UNIQUE REFERENCES item (n) ON DELETE CASCADE,
    actor        TEXT    NOT NULL,
    record       TEXT    NOT NULL, -- that the thread is about
    in_reply_to  TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    content      TEXT    NOT NULL, -- sanitized HTML
    warning      TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    shown        INTEGER NOT NULL, -- to everyone
    published_at INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX comment_shown ON comment (record, n) WHERE shown = 1;
CREATE INDEX comment_of_record ON comment (record);
CREATE INDEX comment_of_actor ON comment (actor);
