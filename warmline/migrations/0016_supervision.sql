-- Calling back after a crisis, and callers of whom nobody knows the number.

-- Every call in which somebody may have been in danger is looked after once it is over (X55).
CREATE TABLE follow_ups (
    tenant      text        NOT NULL,
    id          text        NOT NULL,
    call        text        NOT NULL,
    order_id    text        NOT NULL,
    handed_over boolean     NOT NULL, -- an agency had the caller when the call ended
    opened_at   timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    closed_at   timestamptz,
    closed_by   text,
    outcome     text        CHECK (outcome IN ('handed_over', 'confirmed_safe', 'unknown')),
    note_sealed bytea,      -- what was said
    PRIMARY KEY (tenant, id),
    CHECK ((closed_at IS NULL) = (outcome IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL)),
    CHECK (note_sealed IS NULL OR closed_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_follow_up_per_call ON follow_ups (tenant, call);
CREATE INDEX follow_ups_open ON follow_ups (tenant, due_at, id) WHERE closed_at IS NULL;

-- A hotline takes calls with a withheld number: such a caller has an account and no number (D02).
ALTER TABLE callers ALTER COLUMN phone_index DROP NOT NULL;
ALTER TABLE callers ALTER COLUMN phone_sealed DROP NOT NULL;
ALTER TABLE callers ADD CHECK ((phone_index IS NULL) = (phone_sealed IS NULL));
