-- routing: verified devices, counselors and their presence, the queue, whom to hand danger to.
-- Busy is not in here: the dialer's view engaged_counselors says who is on a call.

CREATE TABLE callers (
    tenant text NOT NULL,
    id text NOT NULL,
    phone_index bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, phone_index)
);

CREATE TABLE verifications (
    tenant text NOT NULL,
    id text NOT NULL,
    purpose text NOT NULL,
    phone_index bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    sent_at timestamptz NOT NULL,
    tries smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
    confirmed_at timestamptz,
    superseded_at timestamptz,
    PRIMARY KEY (tenant, id)
);
-- Only the newest code of a number works.
CREATE UNIQUE INDEX verifications_one_open ON verifications (tenant, phone_index, purpose)
    WHERE confirmed_at IS NULL AND superseded_at IS NULL;

CREATE TABLE devices (
    tenant text NOT NULL,
    id text NOT NULL,
    caller text NOT NULL,
    token_digest bytea NOT NULL CHECK (octet_length(token_digest) = 32),
    verified_at timestamptz NOT NULL,
    superseded_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, caller) REFERENCES callers (tenant, id)
);
-- A SIM is in one phone.
CREATE UNIQUE INDEX devices_one_live ON devices (tenant, caller) WHERE superseded_at IS NULL;
-- A token names its tenant, so it is looked up before the tenant is known.
CREATE UNIQUE INDEX devices_by_token ON devices (token_digest);

-- Things that were done and count against a limit: codes sent, redials.
CREATE TABLE rate_marks (
    tenant text NOT NULL,
    kind text NOT NULL,
    subject bytea NOT NULL,
    at timestamptz NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (tenant, kind, subject, at, seq)
);
CREATE INDEX rate_marks_by_age ON rate_marks (at);

CREATE TABLE counselors (
    tenant text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    phone_index bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    programs text[] NOT NULL,
    roles text[] NOT NULL,
    skills text[] NOT NULL DEFAULT '{}',
    staff_type text NOT NULL CHECK (staff_type IN ('full_time', 'hospital', 'volunteer')),
    grade smallint NOT NULL DEFAULT 0,
    hospital smallint NOT NULL DEFAULT 0,
    credential text NOT NULL DEFAULT '',
    credential_verified_at timestamptz,
    credential_valid_until timestamptz,
    theory_class_hours integer NOT NULL DEFAULT 0,
    theory_passed_on date,
    practice_days integer NOT NULL DEFAULT 0,
    practice_passed_on date,
    assessment_passed_on date,
    presence text NOT NULL CHECK (presence IN ('available', 'break', 'offline')),
    lease_until timestamptz,
    wrap_up_until timestamptz,
    cooldown_until timestamptz,
    idle_since timestamptz NOT NULL,
    misses integer NOT NULL DEFAULT 0 CHECK (misses >= 0),
    PRIMARY KEY (tenant, id),
    CHECK (presence = 'offline' OR lease_until IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX counselors_idle_longest ON counselors (tenant, idle_since, id COLLATE "C")
    WHERE presence = 'available';
CREATE INDEX counselors_leased ON counselors (tenant, lease_until) WHERE presence <> 'offline';
CREATE INDEX counselors_by_number ON counselors (tenant, phone_index);

CREATE TABLE counselor_matches (
    tenant text NOT NULL,
    order_id text NOT NULL,
    matched_at timestamptz NOT NULL,
    counselor text NOT NULL,
    steward text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant, order_id, matched_at),
    FOREIGN KEY (tenant, counselor) REFERENCES counselors (tenant, id)
);

CREATE TABLE queue_places (
    tenant text NOT NULL,
    call text NOT NULL,
    program text NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    crisis boolean NOT NULL DEFAULT false,
    joined_at timestamptz NOT NULL,
    prefers text,
    PRIMARY KEY (tenant, call)
);
CREATE INDEX queue_places_in_order
    ON queue_places (tenant, program, crisis DESC, priority DESC, joined_at, call COLLATE "C");

CREATE TABLE transfer_targets (
    tenant text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('police', 'ambulance', 'hotline', 'clinic')),
    region text CHECK (region ~ '^[0-9]{6}$'),
    phone_sealed bytea NOT NULL,
    preference integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);

-- The statutory calendar's exceptions to Monday-to-Friday, replaceable at any time.
CREATE TABLE calendar_days (
    tenant text NOT NULL,
    day date NOT NULL,
    worked boolean NOT NULL,
    name text NOT NULL DEFAULT '',
    source text NOT NULL,
    PRIMARY KEY (tenant, day)
);
