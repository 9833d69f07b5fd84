-- What is fetched for candidates, by host: what its accounts name is spaced, and
-- what is fetched from it too.
CREATE TABLE gathered (
    host       TEXT COLLATE "C" PRIMARY KEY,
    due_at     BIGINT NOT NULL, -- of what its accounts named last
    spent_at   BIGINT NOT NULL, -- until then what they named is counted
    rest_until BIGINT NOT NULL  -- nothing is fetched from it before
);
CREATE INDEX gathered_spent ON gathered (spent_at);
