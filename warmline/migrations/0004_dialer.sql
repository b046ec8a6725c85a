-- phones: calls, what we ask of the carrier, what it tells us, and when to look again.

CREATE TABLE calls (
    tenant     text        NOT NULL,
    id         text        NOT NULL,
    order_id   text        NOT NULL,
    purpose    text        NOT NULL,
    state      text        NOT NULL CHECK (state IN (
        'waiting', 'queued', 'ringing_first', 'ringing_second', 'bridged', 'parted', 'ended'
    )),
    counselor  text,       -- whom the call claims now: this is what makes a counselor busy
    record     jsonb       NOT NULL, -- the whole call
    version    integer     NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    PRIMARY KEY (tenant, id),
    CHECK ((ended_at IS NOT NULL) = (state = 'ended')),
    CHECK (counselor IS NULL OR state IN ('ringing_first', 'ringing_second', 'bridged', 'parted'))
) WITH (fillfactor = 60);
-- A leg names its call and not its tenant, so the call is looked up before the tenant is known.
CREATE UNIQUE INDEX calls_by_id ON calls (id);
CREATE UNIQUE INDEX one_live_call_per_order_and_purpose ON calls (tenant, order_id, purpose)
    WHERE state <> 'ended';
CREATE UNIQUE INDEX one_live_offer_per_counselor ON calls (tenant, counselor)
    WHERE counselor IS NOT NULL;
CREATE INDEX calls_of_order ON calls (tenant, order_id, id);
CREATE INDEX calls_live ON calls (tenant, id) WHERE state <> 'ended';

-- The only place to read who is busy.
CREATE VIEW engaged_counselors AS
    SELECT tenant, counselor, id AS call FROM calls WHERE counselor IS NOT NULL;

-- A leg that dialled in is named by the carrier's driver; this says whose it became.
CREATE TABLE dial_in_legs (
    tenant text NOT NULL,
    leg    text NOT NULL,
    call   text NOT NULL,
    PRIMARY KEY (tenant, leg)
);
CREATE UNIQUE INDEX dial_in_legs_by_leg ON dial_in_legs (leg);

-- News as it came in. A row that is not folded is retried and alarms.
CREATE TABLE news (
    tenant      text        NOT NULL,
    id          text        NOT NULL,
    call        text,       -- null: about no call of ours
    body        jsonb       NOT NULL, -- no number in it
    received_at timestamptz NOT NULL,
    folded_at   timestamptz,
    fault       text,
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX news_unfolded ON news (received_at) WHERE folded_at IS NULL;
CREATE INDEX news_of_call ON news (tenant, call, received_at);

CREATE TABLE carrier_orders (
    tenant        text        NOT NULL,
    call          text        NOT NULL, -- or, for a caller turned away, the leg that dialled in
    seq           bigint      GENERATED ALWAYS AS IDENTITY,
    state_version integer     NOT NULL, -- of the call, when it was decided
    body          jsonb       NOT NULL, -- names legs, never numbers
    due_at        timestamptz NOT NULL,
    written_at    timestamptz NOT NULL,
    leased_until  timestamptz,
    tries         integer     NOT NULL DEFAULT 0,
    outcome       text        CHECK (outcome IN ('done', 'refused', 'not_wanted', 'gave_up')),
    fault         text,
    settled_at    timestamptz,
    PRIMARY KEY (tenant, call, seq),
    CHECK ((outcome IS NULL) = (settled_at IS NULL))
);
CREATE INDEX carrier_orders_pending ON carrier_orders (due_at) WHERE outcome IS NULL;
CREATE INDEX carrier_orders_pending_of_call ON carrier_orders (tenant, call, seq)
    WHERE outcome IS NULL;

-- A mirror of `call.timers`, to be found when due. What fires is checked against the call again.
CREATE TABLE timers (
    tenant        text        NOT NULL,
    call          text        NOT NULL,
    kind          text        NOT NULL,
    due_at        timestamptz NOT NULL,
    state_version integer     NOT NULL,
    leased_until  timestamptz,
    PRIMARY KEY (tenant, call, kind)
) WITH (fillfactor = 70);
CREATE INDEX timers_due ON timers (due_at);
