-- Documents are compressed as they are kept, and read, several times faster than
-- by the default; a server that was built without it goes on as it was.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE record ALTER COLUMN content SET COMPRESSION lz4, ALTER COLUMN document SET COMPRESSION lz4;
        ALTER TABLE revision ALTER COLUMN content SET COMPRESSION lz4;
        ALTER TABLE search ALTER COLUMN terms SET COMPRESSION lz4, ALTER COLUMN filter SET COMPRESSION lz4;
        ALTER TABLE activity ALTER COLUMN bytes SET COMPRESSION lz4;
        ALTER TABLE inbox ALTER COLUMN raw SET COMPRESSION lz4;
        ALTER TABLE tombstone ALTER COLUMN document SET COMPRESSION lz4;
        ALTER TABLE commons ALTER COLUMN document SET COMPRESSION lz4;
        ALTER TABLE actor ALTER COLUMN document SET COMPRESSION lz4;
    END IF;
END
$$;
