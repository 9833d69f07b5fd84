-- Which published records credit a person of this node who agreed to it, the latest
-- change first; made from record.content.
CREATE TABLE record_credit (
    actor    TEXT NOT NULL, -- her id
    position INTEGER NOT NULL, -- as record.position
    rid      INTEGER NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    PRIMARY KEY (actor, position)
);
CREATE INDEX record_credit_of ON record_credit (rid);
INSERT INTO record_credit (actor, position, rid)
SELECT DISTINCT a.id, r.position, r.rid
FROM record r, json_each(CASE WHEN r.state = 'published' THEN r.content ELSE '{}' END, '$.credits') c
JOIN local_actor a ON a.id = json_extract(c.value, '$.actor') AND a.kind = 'person' AND a.gone = 0
WHERE r.state = 'published' AND json_extract(c.value, '$.person') AND coalesce(json_extract(c.value, '$.consent.on'), '') <> '';
