-- The exact versions that records here adapt: what the difference since is told
-- from. Erased with the record that they are of.
CREATE TABLE parent_version (
    id      TEXT COLLATE "C" NOT NULL, -- of the record adapted
    digest  TEXT COLLATE "C" NOT NULL, -- content digest of the version
    content TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (id, digest)
);

-- Adaptations that were offered to the origin of what they adapt, by us or to us.
CREATE TABLE adaptation (
    child  TEXT COLLATE "C" PRIMARY KEY, -- id of the adaptation
    parent TEXT COLLATE "C" NOT NULL, -- id of what it adapts
    actor  TEXT COLLATE "C" NOT NULL, -- who is asked, or who asked
    offer  TEXT COLLATE "C" NOT NULL, -- id of the latest Offer
    state  TEXT COLLATE "C" NOT NULL, -- offered, acknowledged, refused
    n      BIGINT NOT NULL, -- place in the collection
    at     BIGINT NOT NULL
);
CREATE INDEX adaptation_of ON adaptation (parent, state, n);
CREATE INDEX adaptation_offer ON adaptation (offer);
