-- What other nodes were found to hold: of this node, and of those that it follows.
CREATE TABLE copy_check (
    host       TEXT COLLATE "C" NOT NULL, -- that was asked
    origin     TEXT COLLATE "C" NOT NULL, -- whose copies; '' this node's
    checked_at BIGINT, -- NULL before the first answer
    number     BIGINT NOT NULL, -- change number of this node's up to which it was
    state      TEXT COLLATE "C" NOT NULL, -- 'compared', 'nothing', 'far', 'unproven'
    items      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    PRIMARY KEY (host, origin)
);
CREATE INDEX copy_check_by_origin ON copy_check (origin);

-- What such a node does not hold as it stands here.
CREATE TABLE copy_differs (
    host   TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL, -- of what it holds; '' for nothing
    PRIMARY KEY (host, origin, id)
);
CREATE INDEX copy_differs_by_id ON copy_differs (id);
