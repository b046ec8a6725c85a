-- What replaced a voucher, and who of the staff looked or decided.

-- A voucher is replaced once; the replacement may be replaced in its turn (X10).
CREATE UNIQUE INDEX one_replacement_per_voucher ON vouchers (tenant, replaces)
    WHERE replaces IS NOT NULL;

-- What staff read of customers and decided about them.
CREATE TABLE staff_deeds (
    tenant        text        NOT NULL,
    id            text        NOT NULL,
    at            timestamptz NOT NULL,
    staff         text        NOT NULL,
    action        text        NOT NULL, -- voucher.read, voucher.voided, ..
    subject       text        NOT NULL, -- an id of ours; never a code or a number
    reason_sealed bytea,                -- in the person's own words
    PRIMARY KEY (tenant, id)
);
CREATE INDEX staff_deeds_about ON staff_deeds (tenant, subject, id);
CREATE TRIGGER staff_deeds_append_only BEFORE UPDATE OR DELETE ON staff_deeds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
