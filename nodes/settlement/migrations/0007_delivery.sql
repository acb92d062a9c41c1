-- What came with which delivery: brought again, it counts once.
CREATE TABLE delivery (
    name TEXT NOT NULL,
    item TEXT NOT NULL,             -- an account
    content TEXT NOT NULL,          -- a hash of the file; empty if the name alone tells
    amount INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (name, item, content)
) STRICT, WITHOUT ROWID;
