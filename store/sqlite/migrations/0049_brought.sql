-- What each node brought, by kind: the page of the network counts no records.
INSERT INTO facet (facet, value, label, n)
SELECT 'brought', origin || ' ' || kind, '', count(*) FROM record WHERE state = 'published' AND origin <> '' GROUP BY origin, kind;
