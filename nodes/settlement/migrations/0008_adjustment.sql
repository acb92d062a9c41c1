-- Who put an account right, and why.
CREATE TABLE adjustment (
    transfer TEXT PRIMARY KEY REFERENCES transfer (id),
    caller TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX posting_by_account ON posting (account);
