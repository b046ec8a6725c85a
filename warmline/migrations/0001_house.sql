-- Who may come in, and what the process itself has to remember.

CREATE TABLE staff (
    tenant        text        NOT NULL,
    id            text        NOT NULL,
    email         text        NOT NULL CHECK (email = lower(email)),
    password_hash text        NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    roles         text[]      NOT NULL CHECK (
        cardinality(roles) > 0 AND roles <@ ARRAY[
            'counselor', 'steward', 'support', 'supervisor', 'operator', 'insurer'
        ]
    ),
    counselor     text,       -- whose desk this person answers at
    sponsor       text,       -- the insurer this person sees, when bound to one
    totp_secret   bytea,      -- sealed
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, email)
);

CREATE UNIQUE INDEX one_account_per_counselor ON staff (tenant, counselor)
    WHERE counselor IS NOT NULL AND disabled_at IS NULL;

CREATE TABLE staff_tokens (
    tenant       text        NOT NULL,
    token_hash   bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    staff        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, token_hash),
    FOREIGN KEY (tenant, staff) REFERENCES staff ON DELETE CASCADE
);

CREATE INDEX staff_tokens_of ON staff_tokens (tenant, staff);
-- A token names its tenant, so it is looked up before the tenant is known.
CREATE UNIQUE INDEX staff_tokens_by_hash ON staff_tokens (token_hash);

CREATE TABLE api_keys (
    tenant       text        NOT NULL,
    id           text        NOT NULL,
    name         text        NOT NULL,
    key_hash     bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);

-- The answer already given under a key is given again for 24 hours. A row without an answer is a
-- request still being worked on.
CREATE TABLE idempotency_keys (
    tenant       text        NOT NULL,
    principal    text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL CHECK (octet_length(request_hash) = 32),
    status       smallint    CHECK (status BETWEEN 200 AND 299),
    body         bytea,      -- as it was sent; sealed when it holds a token
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, principal, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- How far POST /sim/clock has moved this installation's clock. Only the simulated carrier may.
CREATE TABLE sim_clock (
    tenant text     NOT NULL PRIMARY KEY,
    ahead  interval NOT NULL CHECK (ahead >= interval '0')
);
