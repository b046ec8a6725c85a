-- Background jobs that raised: PgQueuer forgets a failed job, and its log is pruned.
CREATE TABLE job_faults (
    tenant    text        NOT NULL,
    kind      text        NOT NULL,
    subject   text        NOT NULL,
    fault     text        NOT NULL, -- the kind of error; what it said may name somebody
    times     integer     NOT NULL CHECK (times > 0),
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, kind, subject)
);
CREATE INDEX job_faults_by_age ON job_faults (failed_at);
