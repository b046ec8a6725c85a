-- A one-time code counts once: the time step of the last one that was accepted.

ALTER TABLE staff ADD COLUMN totp_step bigint NOT NULL DEFAULT -1;
