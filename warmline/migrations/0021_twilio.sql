-- Twilio: what we know of each leg there, and what Twilio told us, each thing once.
CREATE TABLE twilio_lines (
    tenant       text        NOT NULL,
    leg          text        NOT NULL,
    sid          text,        -- Twilio's name of the call; null: nobody knows whether it began
    record       jsonb       NOT NULL, -- the whole line; no number in it
    shown_sealed bytea,       -- a number that an agency is told in words
    asked_at     timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (tenant, leg)
) WITH (fillfactor = 60);
CREATE INDEX twilio_lines_standing ON twilio_lines (tenant) WHERE ended_at IS NULL;
CREATE INDEX twilio_lines_by_sid ON twilio_lines (tenant, sid) WHERE sid IS NOT NULL;
CREATE INDEX twilio_lines_by_age ON twilio_lines (tenant, asked_at);

-- Webhooks as they came, but for every field that names a number or a place.
CREATE TABLE twilio_events (
    tenant        text        NOT NULL,
    key           text        NOT NULL, -- equal for a repeat
    kind          text        NOT NULL,
    leg           text,
    sid           text        NOT NULL,
    at            timestamptz NOT NULL,
    fields        jsonb       NOT NULL,
    caller_sealed bytea,      -- who dialled in, until that is told
    received_at   timestamptz NOT NULL,
    told_at       timestamptz,
    PRIMARY KEY (tenant, key)
) WITH (fillfactor = 80);
CREATE INDEX twilio_events_untold ON twilio_events (tenant, received_at) WHERE told_at IS NULL;
CREATE INDEX twilio_events_of_leg ON twilio_events (tenant, leg, received_at);
CREATE INDEX twilio_events_by_age ON twilio_events (tenant, received_at);
