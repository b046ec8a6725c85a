-- A carrier that talks to one process at a time: whose turn it is.

CREATE TABLE carrier_holders (
    tenant      text        NOT NULL, -- the holder's own; it obeys for all of them
    carrier     text        NOT NULL,
    holder      text        NOT NULL,
    fencing     bigint      NOT NULL CHECK (fencing > 0), -- grows whenever another takes over
    taken_at    timestamptz NOT NULL,
    lease_until timestamptz NOT NULL, -- by the database's clock
    PRIMARY KEY (tenant, carrier)
);
CREATE UNIQUE INDEX one_holder_per_carrier ON carrier_holders (carrier);
