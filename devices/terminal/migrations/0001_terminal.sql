CREATE TABLE purchase (
    id TEXT PRIMARY KEY,            -- of the message to settlement
    state TEXT NOT NULL CHECK (state IN ('sent', 'settled', 'refused', 'unknown')),
    order_id TEXT UNIQUE,
    answer TEXT,                    -- JSON: the receipt or the problem
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reminder (
    order_id TEXT PRIMARY KEY,
    content TEXT NOT NULL,          -- JSON
    caller TEXT NOT NULL,
    request TEXT NOT NULL,
    shown_at INTEGER                -- null until the customer has seen it
) STRICT, WITHOUT ROWID;
