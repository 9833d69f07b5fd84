-- A record is drawn by its digest, which is as good as random.
CREATE INDEX record_by_digest ON record (kind, content_digest) WHERE state = 'published';
