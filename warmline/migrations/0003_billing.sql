-- What a call is worth: orders, vouchers and their movements, reviews, texts of programs.
-- Callers, calls and counselors belong to other rooms: their ids are kept, not constrained.

CREATE TABLE program_versions (
    tenant    text NOT NULL,
    program   text NOT NULL,
    digest    text NOT NULL, -- SHA-256 of the text
    version   text NOT NULL,
    body      text NOT NULL, -- the TOML as it was in force
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, program, digest)
);

CREATE TABLE vouchers (
    tenant      text NOT NULL,
    id          text NOT NULL,
    program     text NOT NULL,
    state       text NOT NULL CHECK (state IN ('pending', 'issued', 'held', 'consumed',
                                               'returned', 'expired', 'voided', 'reissued')),
    code_hash   bytea NOT NULL,
    code_ending text NOT NULL,
    valid_until timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    holder      text,
    order_id    text,
    replaces    text,
    no_contacts integer NOT NULL DEFAULT 0,
    moves       integer NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code_hash),
    CHECK ((order_id IS NOT NULL) = (state IN ('held', 'consumed'))),
    CHECK (holder IS NOT NULL OR state NOT IN ('held', 'consumed', 'returned'))
);
CREATE INDEX vouchers_by_holder ON vouchers (tenant, holder, id) WHERE holder IS NOT NULL;
CREATE INDEX vouchers_due ON vouchers (valid_until) WHERE state IN ('pending', 'issued', 'returned');

-- Append-only: one unit leaves one account and arrives in another, so the sum is always zero.
CREATE TABLE voucher_movements (
    tenant       text NOT NULL,
    voucher      text NOT NULL,
    number       integer NOT NULL CHECK (number > 0),
    from_account text NOT NULL,
    to_account   text NOT NULL,
    reason       text NOT NULL,
    order_id     text,
    key          text NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (tenant, voucher, number),
    UNIQUE (tenant, voucher, key),
    FOREIGN KEY (tenant, voucher) REFERENCES vouchers (tenant, id),
    CHECK (from_account <> to_account)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: write a correcting entry', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER voucher_movements_append_only BEFORE UPDATE OR DELETE ON voucher_movements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE VIEW voucher_entries AS
    SELECT tenant, voucher, number, from_account AS account, -1 AS units FROM voucher_movements
    UNION ALL
    SELECT tenant, voucher, number, to_account, 1 FROM voucher_movements;

CREATE TABLE orders (
    tenant            text NOT NULL,
    id                text NOT NULL,
    caller            text NOT NULL,
    program           text NOT NULL,
    program_version   text NOT NULL,
    program_digest    text NOT NULL,
    counselor         text,
    voucher           text,
    one_at_a_time     boolean NOT NULL,
    opened_at         timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    granted_seconds   integer,
    -- What changes, from here on.
    state             text NOT NULL CHECK (state IN ('open', 'in_call', 'interrupted', 'completed',
                                                     'cancelled', 'expired', 'closed')),
    remaining_seconds integer,
    talked_seconds    integer NOT NULL CHECK (talked_seconds >= 0),
    attempts_counted  integer NOT NULL CHECK (attempts_counted >= 0),
    call              text,
    connected_at      timestamptz,
    talk_started_at   timestamptz,
    resume_until      timestamptz,
    due_at            timestamptz,
    closed_at         timestamptz,
    closed_by         text,
    closed_reason     text,
    settled           jsonb,
    version           integer NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, voucher) REFERENCES vouchers (tenant, id),
    CHECK ((call IS NOT NULL) = (state = 'in_call')),
    CHECK (resume_until IS NOT NULL OR state <> 'interrupted'),
    CHECK ((closed_at IS NULL) = (state IN ('open', 'in_call', 'interrupted'))),
    CHECK (remaining_seconds BETWEEN 0 AND granted_seconds),
    CHECK ((remaining_seconds IS NULL) = (granted_seconds IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX one_holding_order_per_voucher ON orders (tenant, voucher)
    WHERE voucher IS NOT NULL AND state IN ('open', 'in_call', 'interrupted');
CREATE UNIQUE INDEX one_open_order_per_person ON orders (tenant, caller, program)
    WHERE one_at_a_time AND state IN ('open', 'in_call', 'interrupted');
CREATE INDEX orders_by_caller ON orders (tenant, caller, id);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE reviews (
    tenant    text NOT NULL,
    call      text NOT NULL,
    order_id  text NOT NULL,
    reason    text NOT NULL,
    state     text NOT NULL CHECK (state IN ('open', 'withdrawn', 'closed')),
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, call),
    FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id)
);
CREATE INDEX reviews_open ON reviews (tenant, call) WHERE state = 'open';
