-- Which published records credit a person of this node who agreed to it, the latest
-- change first; made from record.content.
CREATE TABLE record_credit (
    actor    TEXT COLLATE "C" NOT NULL, -- her id
    position BIGINT NOT NULL, -- as record.position
    rid      BIGINT NOT NULL REFERENCES record (rid) ON DELETE CASCADE,
    PRIMARY KEY (actor, position)
);
CREATE INDEX record_credit_of ON record_credit (rid);
INSERT INTO record_credit (actor, position, rid)
SELECT DISTINCT a.id, r.position, r.rid
FROM record r
CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN r.state = 'published' THEN r.content::jsonb -> 'credits' END) AS c (value)
JOIN local_actor a ON a.id = c.value ->> 'actor' AND a.kind = 'person' AND a.gone = 0
WHERE r.state = 'published' AND (c.value ->> 'person') = 'true' AND coalesce(c.value #>> '{consent,on}', '') <> '';
