-- The node's own concepts, each under a common theme. Their ids begin with its host.
CREATE TABLE theme (
    id      TEXT COLLATE "C" PRIMARY KEY,
    broader TEXT COLLATE "C" NOT NULL, -- of the common thesaurus, for good
    fr      TEXT COLLATE "C" NOT NULL,
    en      TEXT COLLATE "C" NOT NULL, -- empty where nobody translated it
    at      BIGINT NOT NULL
);
