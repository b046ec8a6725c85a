-- Which offers in a row a counselor did not take, and since when they are on a break for it. The bare
-- count of missed ones could not say why the break came; what was counted so far is forgiven.
ALTER TABLE counselors
    ADD COLUMN untaken jsonb NOT NULL DEFAULT '[]', -- call, at, why
    ADD COLUMN sent_away_at timestamptz,
    ADD CHECK (sent_away_at IS NULL OR presence = 'break'),
    DROP COLUMN misses;
