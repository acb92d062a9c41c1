-- The states that this node has shown last: they are shown again as they were, whatever else is
-- true of its tables meanwhile.
CREATE TABLE shown (
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL              -- JSON
) STRICT, WITHOUT ROWID;
