-- Customers told ahead of a change of a service (B04).

-- Since when this installation knows of a change: what its program claims is its own word.
CREATE TABLE program_changes (
    tenant   text        NOT NULL,
    program  text        NOT NULL,
    change   text        NOT NULL, -- its kind and its day
    known_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, program, change)
);

-- One row per change and number, whoever writes it: a person is told once, however many policies
-- and vouchers they hold.
CREATE TABLE change_tellings (
    tenant      text        NOT NULL,
    program     text        NOT NULL,
    change      text        NOT NULL,
    phone_index bytea       NOT NULL,
    caller      text,                 -- the account of that number, where it has one
    notice      text        NOT NULL, -- the SMS
    told_at     timestamptz NOT NULL,
    withheld_at timestamptz,          -- it was not sent: they were no customer any more
    PRIMARY KEY (tenant, program, change, phone_index),
    UNIQUE (tenant, notice)
);
CREATE INDEX change_tellings_of_account ON change_tellings (tenant, program, change, caller)
    WHERE caller IS NOT NULL;
