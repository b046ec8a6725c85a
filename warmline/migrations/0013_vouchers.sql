-- Whose account a voucher came into, what replaced it, and who of the staff looked or decided.

-- The first redeemer's account owns a voucher (X14). The ledger counts units and knows no people.
CREATE TABLE voucher_redemptions (
    tenant  text        NOT NULL,
    voucher text        NOT NULL,
    caller  text        NOT NULL,
    device  text,       -- none when an app's back end did it for its customer
    at      timestamptz NOT NULL,
    PRIMARY KEY (tenant, voucher),
    FOREIGN KEY (tenant, voucher) REFERENCES vouchers (tenant, id)
);
CREATE TRIGGER voucher_redemptions_append_only BEFORE UPDATE OR DELETE ON voucher_redemptions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A voucher is replaced once; the replacement may be replaced in its turn (X10).
CREATE UNIQUE INDEX one_replacement_per_voucher ON vouchers (tenant, replaces)
    WHERE replaces IS NOT NULL;

-- What staff read of customers and decided about them.
CREATE TABLE audit_entries (
    tenant        text        NOT NULL,
    id            text        NOT NULL,
    at            timestamptz NOT NULL,
    staff         text        NOT NULL,
    action        text        NOT NULL, -- voucher.read, voucher.voided, ..
    subject       text        NOT NULL, -- an id of ours; never a code or a number
    reason_sealed bytea,                -- in the person's own words
    PRIMARY KEY (tenant, id)
);
CREATE INDEX audit_entries_about ON audit_entries (tenant, subject, id);
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
