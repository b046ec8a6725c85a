-- The live feed reads every tenant's timeline as one stream, by number.

CREATE INDEX timeline_by_seq ON timeline (seq);
