-- The node's own concepts, each under a common theme. Their ids begin with its host.
CREATE TABLE theme (
    id      TEXT    PRIMARY KEY,
    broader TEXT    NOT NULL, -- of the common thesaurus, for good
    fr      TEXT    NOT NULL,
    en      TEXT    NOT NULL, -- empty where nobody translated it
    at      INTEGER NOT NULL
);
