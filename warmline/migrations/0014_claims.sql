-- Claims: what somebody has to decide about a call, be it filed, reviewed or rated badly; and ratings.

CREATE TABLE claims (
    tenant            text        NOT NULL,
    id                text        NOT NULL,
    order_id          text        NOT NULL,
    call              text,       -- null: the order never had one
    opened_at         timestamptz NOT NULL,
    -- What changes, from here on.
    state             text        NOT NULL CHECK (state IN ('open', 'decided', 'appealed', 'closed',
                                                            'withdrawn')),
    filed_at          timestamptz,
    review            text,       -- why the desk could not settle the call by itself
    low_rating        boolean     NOT NULL,
    due_at            timestamptz NOT NULL,
    escalate_at       timestamptz NOT NULL,
    escalated_at      timestamptz,
    breached_at       timestamptz,
    alarm_at          timestamptz, -- when its clock next has something to say
    decision          text        CHECK (decision IN ('resume', 'reissue', 'reject')),
    decided_by        text,
    decided_at        timestamptz,
    appeal_until      timestamptz,
    appealed_at       timestamptz,
    sponsor           text,       -- whose insurer decides the appeal
    appeal_decision   text        CHECK (appeal_decision IN ('resume', 'reissue', 'reject')),
    appeal_decided_by text,
    appeal_decided_at timestamptz,
    version           integer     NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id),
    CHECK (filed_at IS NOT NULL OR review IS NOT NULL OR low_rating),
    CHECK ((decision IS NOT NULL) = (state IN ('decided', 'appealed', 'closed'))),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((appealed_at IS NOT NULL) = (state IN ('appealed', 'closed'))),
    CHECK ((appealed_at IS NOT NULL) = (sponsor IS NOT NULL)),
    CHECK ((appeal_decision IS NOT NULL) = (state = 'closed'))
);
CREATE UNIQUE INDEX one_open_claim_per_call ON claims (tenant, order_id, coalesce(call, ''))
    WHERE state = 'open';
CREATE INDEX claims_of_order ON claims (tenant, order_id, id);
CREATE INDEX claims_of_call ON claims (tenant, call) WHERE call IS NOT NULL;
CREATE INDEX claims_by_deadline ON claims (tenant, state, due_at, id);
CREATE INDEX appeals_by_deadline ON claims (tenant, sponsor, due_at, id) WHERE state = 'appealed';
CREATE INDEX claims_alarms ON claims (alarm_at) WHERE alarm_at IS NOT NULL;

INSERT INTO claims (tenant, id, order_id, call, opened_at, state, review, low_rating, due_at,
        escalate_at, alarm_at, version)
    SELECT tenant, 'claim_' || regexp_replace(call, '^call_', ''), order_id, call, opened_at,
        CASE state WHEN 'open' THEN 'open' ELSE 'withdrawn' END, reason, false,
        opened_at + interval '24 hours', opened_at + interval '20 hours',
        CASE state WHEN 'open' THEN opened_at + interval '20 hours' END, 0
    FROM reviews;
DROP TABLE reviews;
-- The reviews among the claims.
CREATE VIEW reviews AS
    SELECT tenant, call, order_id, review AS reason, opened_at,
        CASE WHEN state IN ('open', 'withdrawn') THEN state ELSE 'closed' END AS state
    FROM claims WHERE review IS NOT NULL;

-- What people wrote: what the caller tells, why somebody decided so. Sealed, and only ever added to.
CREATE TABLE claim_words (
    tenant       text        NOT NULL,
    claim        text        NOT NULL,
    number       integer     NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('filed', 'rated', 'decided',
                                                      'appeal_decided')),
    at           timestamptz NOT NULL,
    words_sealed bytea       NOT NULL,
    PRIMARY KEY (tenant, claim, number),
    FOREIGN KEY (tenant, claim) REFERENCES claims (tenant, id)
);
CREATE TRIGGER claim_words_append_only BEFORE UPDATE OR DELETE ON claim_words
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE ratings (
    tenant         text        NOT NULL,
    order_id       text        NOT NULL,
    counselor      text,
    timeliness     smallint    NOT NULL CHECK (timeliness BETWEEN 1 AND 5),
    quality        smallint    NOT NULL CHECK (quality BETWEEN 1 AND 5),
    attitude       smallint    NOT NULL CHECK (attitude BETWEEN 1 AND 5),
    words_sealed   bytea,
    first_rated_at timestamptz NOT NULL,
    rated_at       timestamptz NOT NULL,
    PRIMARY KEY (tenant, order_id),
    FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id)
);

-- What a thing was before somebody of the staff decided about it, and after. Plain states.
ALTER TABLE staff_deeds
    ADD COLUMN before jsonb,
    ADD COLUMN after  jsonb;
