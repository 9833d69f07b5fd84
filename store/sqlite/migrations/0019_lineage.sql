-- The exact versions that records here adapt: what the difference since is told
-- from. Erased with the record that they are of.
CREATE TABLE parent_version (
    id      TEXT    NOT NULL, -- of the record adapted
    digest  TEXT    NOT NULL, -- content digest of the version
    content TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (id, digest)
);

-- Adaptations that were offered to the origin of what they adapt, by us or to us.
CREATE TABLE adaptation (
    child  TEXT PRIMARY KEY, -- id of the adaptation
    parent TEXT    NOT NULL, -- id of what it adapts
    actor  TEXT    NOT NULL, -- who is asked, or who asked
    offer  TEXT    NOT NULL, -- id of the latest Offer
    state  TEXT    NOT NULL, -- offered, acknowledged, refused
    n      INTEGER NOT NULL, -- place in the collection
    at     INTEGER NOT NULL
);
CREATE INDEX adaptation_of ON adaptation (parent, state, n);
CREATE INDEX adaptation_offer ON adaptation (offer);
