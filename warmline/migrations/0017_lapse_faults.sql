-- What could not be brought to rest when its time was over, and when that is tried again: kept
-- here, so that it holds up nobody else, neither now nor after a restart.
CREATE TABLE lapse_faults (
    tenant      text        NOT NULL,
    id          text        NOT NULL, -- of an order or of a voucher
    fault       text        NOT NULL,
    tries       integer     NOT NULL CHECK (tries > 0),
    next_try_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
