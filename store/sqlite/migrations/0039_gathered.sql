-- What is fetched for candidates, by host: what its accounts name is spaced, and
-- what is fetched from it too.
CREATE TABLE gathered (
    host       TEXT PRIMARY KEY,
    due_at     INTEGER NOT NULL, -- of what its accounts named last
    spent_at   INTEGER NOT NULL, -- until then what they named is counted
    rest_until INTEGER NOT NULL  -- nothing is fetched from it before
);
CREATE INDEX gathered_spent ON gathered (spent_at);
