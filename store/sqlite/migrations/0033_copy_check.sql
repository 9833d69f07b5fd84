-- What other nodes were found to hold: of this node, and of those that it follows.
CREATE TABLE copy_check (
    host       TEXT NOT NULL, -- that was asked
    origin     TEXT NOT NULL, -- whose copies; '' this node's
    checked_at INTEGER, -- NULL before the first answer
    number     INTEGER NOT NULL, -- change number of this node's up to which it was
    state      TEXT NOT NULL, -- 'compared', 'nothing', 'far', 'unproven'
    items      INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    PRIMARY KEY (host, origin)
);
CREATE INDEX copy_check_by_origin ON copy_check (origin);

-- What such a node does not hold as it stands here.
CREATE TABLE copy_differs (
    host   TEXT NOT NULL,
    origin TEXT NOT NULL,
    id     TEXT NOT NULL,
    digest TEXT NOT NULL, -- of what it holds; '' for nothing
    PRIMARY KEY (host, origin, id)
);
CREATE INDEX copy_differs_by_id ON copy_differs (id);
