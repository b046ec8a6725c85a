-- The newest check of somebody's own phone, rung outside any call: nothing is billed or counted.
CREATE TABLE phone_checks (
    tenant   text        NOT NULL,
    party    text        NOT NULL, -- whose phone
    id       text        NOT NULL, -- the leg is named after it, as others are after their call
    asked_at timestamptz NOT NULL,
    leg      jsonb       NOT NULL, -- no number in it
    PRIMARY KEY (tenant, party)
);
CREATE UNIQUE INDEX phone_checks_by_id ON phone_checks (id);
