-- What became of an SMS after the gateway took it: delivery receipts, each kept once.
ALTER TABLE notices
    ADD COLUMN delivery    text CHECK (delivery IN ('delivered', 'undelivered')),
    ADD COLUMN delivery_at timestamptz, -- when that happened, by the gateway
    ADD CONSTRAINT delivery_has_its_time CHECK ((delivery IS NULL) = (delivery_at IS NULL)),
    ADD CONSTRAINT only_sms_are_delivered CHECK (delivery IS NULL OR kind = 'sms');
CREATE INDEX notices_undelivered ON notices (tenant, id) WHERE delivery = 'undelivered';

CREATE TABLE sms_receipts (
    tenant      text        NOT NULL,
    id          text        NOT NULL, -- the gateway's webhook-id, the same over its retries
    notice      text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('delivered', 'undelivered')),
    reason      text,                 -- the gateway's word, masked
    happened_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, notice) REFERENCES notices (tenant, id)
);
CREATE INDEX sms_receipts_of_notice ON sms_receipts (tenant, notice, happened_at);
