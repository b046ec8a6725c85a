-- A secret that an authenticator was given and has not yet shown a code of.

ALTER TABLE staff ADD COLUMN totp_pending bytea; -- sealed
