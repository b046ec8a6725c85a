-- When a notice that could not be sent is tried again, and what a notice may carry under seal.

ALTER TABLE notices
    ADD COLUMN next_try_at    timestamptz,
    ADD COLUMN expires_at     timestamptz, -- worthless from here on: a code that has run out
    ADD COLUMN address_sealed bytea,       -- a number that belongs to no caller yet
    ADD COLUMN secret_sealed  bytea,       -- a code; forgotten as soon as there is an outcome
    ADD CONSTRAINT no_secret_is_kept CHECK (outcome IS NULL OR secret_sealed IS NULL);

CREATE INDEX sim_messages_newest ON sim_messages (tenant, at DESC);
