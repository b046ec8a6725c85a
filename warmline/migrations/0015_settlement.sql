-- What a month's settlement is summed from.

-- billing: every call that came to talk stands in one grade; each line moves it from one to another.
-- Append-only, so that the sum over the lines of a month never changes once the month is over.
CREATE TABLE call_grades (
    tenant         text        NOT NULL,
    seq            bigint      GENERATED ALWAYS AS IDENTITY,
    call           text        NOT NULL,
    order_id       text        NOT NULL,
    program        text        NOT NULL,
    counselor      text,       -- who talked in it
    ended_at       timestamptz NOT NULL, -- to which month the call belongs
    from_grade     text        NOT NULL CHECK (from_grade IN ('none', 'effective', 'short', 'resumed')),
    to_grade       text        NOT NULL CHECK (to_grade IN ('none', 'effective', 'short', 'resumed')),
    talked_seconds integer     NOT NULL,
    at             timestamptz NOT NULL, -- in which month the line is counted
    PRIMARY KEY (tenant, seq),
    CHECK (from_grade <> to_grade OR talked_seconds <> 0)
);
CREATE INDEX call_grades_of_order ON call_grades (tenant, order_id, seq);
-- Lines are written as time goes by, so that a month is a stretch of the table.
CREATE INDEX call_grades_by_time ON call_grades USING brin (at);
CREATE TRIGGER call_grades_append_only BEFORE UPDATE OR DELETE ON call_grades
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was settled before: the last call of an order stands for all of its talk.
INSERT INTO call_grades (tenant, call, order_id, program, counselor, ended_at, from_grade, to_grade,
                         talked_seconds, at)
SELECT tenant, settled->>'call', id, program, counselor, (settled->>'ended_at')::timestamptz,
       'none',
       CASE WHEN settled->>'consequence' = 'resume' AND settled->>'state' <> 'completed' THEN 'resumed'
            WHEN settled->>'review' = 'short_call' THEN 'short'
            ELSE 'effective' END,
       talked_seconds, coalesce(closed_at, connected_at)
FROM orders
WHERE connected_at IS NOT NULL AND settled IS NOT NULL
ORDER BY coalesce(closed_at, connected_at);

-- The few entries that correct an earlier one.
CREATE INDEX ledger_entries_taken_back ON ledger_entries (tenant, at)
    WHERE from_account IN ('consumed', 'used', 'talked', 'lapsed');

-- dialer: the calls of a month, by when they began (that never changes, so a call's writes stay
-- cheap).
CREATE INDEX calls_by_start ON calls (tenant, started_at);

-- dialer: which carrier an installation's legs went through, from when on.
CREATE TABLE carriers_in_use (
    tenant  text        NOT NULL, -- the installation's own
    since   timestamptz NOT NULL,
    carrier text        NOT NULL,
    PRIMARY KEY (tenant, since)
);

-- dialer: legs as the carrier itself recorded them, by the leg's token and never by a number.
CREATE TABLE carrier_records (
    tenant         text        NOT NULL,
    carrier        text        NOT NULL,
    leg            text        NOT NULL,
    started_at     timestamptz NOT NULL,
    billed_seconds integer     NOT NULL CHECK (billed_seconds >= 0), -- 0: never answered
    unit_seconds   integer     NOT NULL CHECK (unit_seconds > 0), -- rounded up to a multiple of it
    imported_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, carrier, leg)
);
CREATE INDEX carrier_records_by_start ON carrier_records (tenant, started_at);
