-- What a counselor has typed about a call and not yet handed in. Sealed: it is what people said.

CREATE TABLE note_drafts (
    tenant       text        NOT NULL,
    call         text        NOT NULL,
    notes_sealed bytea       NOT NULL,
    version      integer     NOT NULL,
    saved_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant, call)
);
