-- One ledger for everything that is counted: vouchers, seconds of talk, uses of quotas.

-- The bytes that are hashed, built as `billing.ledger` builds them: every field with its length
-- before it, so that no other fields give the same bytes.
CREATE FUNCTION ledger_field(field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(length(field) || ':' || field, '-')
$$;

CREATE FUNCTION ledger_microseconds(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT ((extract(epoch FROM at) * 1000000)::bigint)::text
$$;

CREATE FUNCTION ledger_hash(
    previous bytea, book text, number integer, from_account text, to_account text, units integer,
    reason text, order_id text, call text, recurs boolean, at timestamptz, about bytea
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(
        ledger_field(book) || ledger_field(number::text) || ledger_field(from_account)
        || ledger_field(to_account) || ledger_field(units::text) || ledger_field(reason)
        || ledger_field(order_id) || ledger_field(call) || ledger_field(recurs::text)
        || ledger_field(ledger_microseconds(at)) || ledger_field(encode(about, 'hex')),
        'UTF8'))
$$;

-- What an entry vouches for beside itself: names and values in this order, nulls left out.
CREATE FUNCTION ledger_facts(names text[], facts text[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(
        coalesce(string_agg(ledger_field(name) || ledger_field(fact), '' ORDER BY place), ''),
        'UTF8'))
    FROM unnest(names, facts) WITH ORDINALITY AS told (name, fact, place) WHERE fact IS NOT NULL
$$;

-- `units` leave one account and arrive in another, so every book sums to zero. An entry of 0 units
-- says that the facts of its subject changed. `hash` covers the entry before and all of this one.
CREATE TABLE ledger_entries (
    tenant       text        NOT NULL,
    book         text        NOT NULL COLLATE "C", -- voucher/.., talk/.., quota/..
    number       integer     NOT NULL CHECK (number > 0),
    from_account text        NOT NULL,
    to_account   text        NOT NULL,
    units        integer     NOT NULL CHECK (units >= 0),
    reason       text        NOT NULL,
    order_id     text,
    call         text,       -- where one order may give the same reason once per call
    recurs       boolean     NOT NULL, -- may happen again for the same reason: a correction, say
    at           timestamptz NOT NULL,
    about        bytea,      -- digest of the subject's facts, when they are new or changed
    hash         bytea       NOT NULL,
    PRIMARY KEY (tenant, book, number),
    CHECK ((units = 0) = (from_account = to_account))
);
CREATE UNIQUE INDEX ledger_entries_once ON ledger_entries (tenant, book, order_id, reason, call)
    NULLS NOT DISTINCT WHERE NOT recurs;
CREATE INDEX ledger_entries_in_time ON ledger_entries USING brin (at);

-- How many orders somebody had in a period; which, and since when. `uses` is read by no query.
CREATE TABLE quotas (
    tenant      text    NOT NULL,
    book        text    NOT NULL COLLATE "C",
    program     text    NOT NULL,
    subject     text    NOT NULL, -- an id of whoever the uses are counted for
    period      text    NOT NULL CHECK (period IN ('policy_year', 'service_year', 'calendar_year',
                                                   'rolling_365')),
    starts      date,
    ends        date,
    uses        jsonb   NOT NULL,
    no_contacts integer NOT NULL CHECK (no_contacts >= 0),
    changed_at  timestamptz,
    head_number integer NOT NULL, -- the last entry of its book
    head_hash   bytea   NOT NULL,
    PRIMARY KEY (tenant, book),
    CHECK ((starts IS NULL) = (period = 'rolling_365') AND (ends IS NULL) = (starts IS NULL))
);

-- The row a book is about carries the book's head: it is locked by whoever decides.
ALTER TABLE vouchers
    ADD COLUMN head_number integer NOT NULL DEFAULT 0,
    ADD COLUMN head_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex');
ALTER TABLE orders
    ADD COLUMN quota text COLLATE "C",
    ADD COLUMN head_number integer NOT NULL DEFAULT 0,
    ADD COLUMN head_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    ADD FOREIGN KEY (tenant, quota) REFERENCES quotas (tenant, book),
    ADD CHECK (voucher IS NULL OR quota IS NULL);

-- Vouchers kept their moves before: the same entries, now chained. The last one vouches for the
-- facts of today.
DO $$
DECLARE
    voucher vouchers; move record; head bytea; last integer; facts bytea;
BEGIN
    FOR voucher IN SELECT * FROM vouchers LOOP
        head := decode(repeat('00', 32), 'hex');
        last := voucher.moves;
        facts := ledger_facts(
            ARRAY['program', 'code_hash', 'code_ending', 'valid_until', 'replaces', 'holder',
                  'no_contacts'],
            ARRAY[voucher.program, encode(voucher.code_hash, 'hex'), voucher.code_ending,
                  ledger_microseconds(voucher.valid_until), voucher.replaces, voucher.holder,
                  voucher.no_contacts::text]);
        FOR move IN
            SELECT 'voucher/' || m.voucher AS book, m.number, m.from_account, m.to_account, m.reason,
                m.order_id, m.at, CASE WHEN m.number = last THEN facts END AS about
            FROM voucher_movements AS m
            WHERE m.tenant = voucher.tenant AND m.voucher = voucher.id ORDER BY m.number
        LOOP
            head := ledger_hash(head, move.book, move.number, move.from_account, move.to_account, 1,
                                move.reason, move.order_id, NULL, false, move.at, move.about);
            INSERT INTO ledger_entries
            VALUES (voucher.tenant, move.book, move.number, move.from_account, move.to_account, 1,
                    move.reason, move.order_id, NULL, false, move.at, move.about, head);
        END LOOP;
        UPDATE vouchers SET head_number = last, head_hash = head
        WHERE tenant = voucher.tenant AND id = voucher.id;
    END LOOP;
END $$;

-- Orders kept no book of their seconds: it begins with all of them, and goes to where they are now.
DO $$
DECLARE
    its_order orders; step record; head bytea; count integer; granted integer; within integer;
    facts bytea; rest integer; closed boolean;
BEGIN
    FOR its_order IN SELECT * FROM orders LOOP
        head := decode(repeat('00', 32), 'hex');
        count := 0;
        granted := coalesce(its_order.granted_seconds, 0);
        rest := coalesce(its_order.remaining_seconds, 0);
        within := least(granted, its_order.talked_seconds);
        closed := its_order.closed_at IS NOT NULL;
        facts := ledger_facts(
            ARRAY['caller', 'program', 'program_digest', 'voucher', 'quota', 'granted_seconds',
                  'opened_at'],
            ARRAY[its_order.caller, its_order.program, its_order.program_digest, its_order.voucher,
                  NULL, its_order.granted_seconds::text, ledger_microseconds(its_order.opened_at)]);
        FOR step IN
            SELECT 'talk/' || its_order.id AS book, giver, taker, units, reason, place > 1 AS recurs,
                CASE WHEN place = 1 THEN its_order.opened_at
                     ELSE coalesce(its_order.closed_at, its_order.connected_at) END AS at,
                CASE WHEN place = 1 THEN facts END AS about
            FROM (VALUES
                (1, CASE WHEN granted = 0 THEN 'remaining' ELSE 'issuer' END, 'remaining', granted,
                    'granted'),
                (2, 'remaining', 'talked', within, 'carried_over'),
                (3, 'issuer', 'talked', its_order.talked_seconds - within, 'carried_over'),
                (4, 'issuer', 'remaining', rest - (granted - within), 'carried_over'),
                (5, 'remaining', 'lapsed', CASE WHEN closed THEN rest ELSE 0 END, 'carried_over')
            ) AS steps (place, giver, taker, units, reason)
            WHERE place = 1 OR units > 0 ORDER BY place
        LOOP
            count := count + 1;
            head := ledger_hash(head, step.book, count, step.giver, step.taker, step.units,
                                step.reason, its_order.id, NULL, step.recurs, step.at, step.about);
            INSERT INTO ledger_entries
            VALUES (its_order.tenant, step.book, count, step.giver, step.taker, step.units,
                    step.reason, its_order.id, NULL, step.recurs, step.at, step.about, head);
        END LOOP;
        UPDATE orders SET head_number = count, head_hash = head
        WHERE tenant = its_order.tenant AND id = its_order.id;
    END LOOP;
END $$;

ALTER TABLE vouchers ALTER head_number DROP DEFAULT, ALTER head_hash DROP DEFAULT, DROP COLUMN moves;
ALTER TABLE orders ALTER head_number DROP DEFAULT, ALTER head_hash DROP DEFAULT;
DROP VIEW voucher_entries;
DROP TABLE voucher_movements;

-- What stood in the books when a seal was set. A seal covers the heads of all books that changed
-- since the one before it, and follows it; only this installation can sign one.
CREATE TABLE ledger_seals (
    tenant    text        NOT NULL,
    number    integer     NOT NULL CHECK (number > 0),
    sealed_at timestamptz NOT NULL,
    books     integer     NOT NULL CHECK (books > 0),
    digest    bytea       NOT NULL,
    signature bytea       NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE TABLE ledger_sealed_heads (
    tenant text    NOT NULL,
    book   text    NOT NULL COLLATE "C",
    number integer NOT NULL,
    hash   bytea   NOT NULL,
    seal   integer NOT NULL,
    PRIMARY KEY (tenant, book, number)
);

DO $$
DECLARE kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['ledger_entries', 'ledger_seals', 'ledger_sealed_heads'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', kept || '_append_only', kept);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', kept || '_never_empty', kept);
    END LOOP;
END $$;
