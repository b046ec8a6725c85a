-- What the desk tells: the timeline of every order, and notices on their way out.

CREATE TABLE timeline (
    tenant   text        NOT NULL,
    seq      bigint      GENERATED ALWAYS AS IDENTITY,
    order_id text        NOT NULL,
    call_id  text,
    at       timestamptz NOT NULL,
    kind     text        NOT NULL,
    role     text,
    data     jsonb       NOT NULL DEFAULT '{}', -- plain values; no number and no word spoken
    visible  text[]      NOT NULL, -- 'caller:<id>', 'counselor:<id>', 'staff'
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX timeline_of_order ON timeline (tenant, order_id, seq);
CREATE INDEX timeline_of_call ON timeline (tenant, call_id, seq) WHERE call_id IS NOT NULL;

-- One row per notice, kept with its outcome. The address is looked up when it is sent.
CREATE TABLE notices (
    tenant     text        NOT NULL,
    id         text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('sms', 'status')),
    template   text        NOT NULL,
    caller     text,
    order_id   text,
    call_id    text,
    data       jsonb       NOT NULL DEFAULT '{}',
    written_at timestamptz NOT NULL,
    tries      integer     NOT NULL DEFAULT 0,
    sent_at    timestamptz,
    outcome    text        CHECK (outcome IN ('sent', 'gave_up')),
    fault      text,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX notices_waiting ON notices (written_at) WHERE outcome IS NULL;
CREATE INDEX notices_of_order ON notices (tenant, order_id, id);

-- What the log sender sent, for the page of the simulated handsets. The text is sealed: it may hold
-- a code.
CREATE TABLE sim_messages (
    tenant       text        NOT NULL,
    id           text        NOT NULL,
    kind         text        NOT NULL,
    to_masked    text        NOT NULL,
    template     text        NOT NULL,
    text_sealed  bytea       NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- What the counselor wrote after the call (C08). Sealed: it is what people said.
CREATE TABLE wrap_ups (
    tenant         text        NOT NULL,
    call           text        NOT NULL,
    order_id       text        NOT NULL,
    counselor      text        NOT NULL,
    summary_sealed bytea,
    topics         text[]      NOT NULL DEFAULT '{}',
    disposition    text,
    required       boolean     NOT NULL DEFAULT false,
    opened_at      timestamptz NOT NULL,
    written_at     timestamptz,
    PRIMARY KEY (tenant, call)
);
CREATE INDEX wrap_ups_open ON wrap_ups (tenant, counselor) WHERE written_at IS NULL;
