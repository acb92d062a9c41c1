-- Commands that were carried out, with their replies: the same id again gets the same reply.
CREATE TABLE inbox (
    caller TEXT NOT NULL,
    id TEXT NOT NULL,
    operation TEXT NOT NULL,
    digest BLOB NOT NULL,
    reply BLOB,                 -- null while the answer is still to come
    correlation BLOB,           -- MQTT 5 Correlation Data, echoed byte for byte
    trace TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (caller, id)
) STRICT, WITHOUT ROWID;

-- What this node has decided and not yet seen done.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('command', 'timer', 'call')),
    target TEXT NOT NULL,       -- the callee, the timer's name, or the adapter
    operation TEXT NOT NULL,    -- empty for timers and calls
    payload BLOB NOT NULL,      -- an envelope for commands, data for the others
    trace TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    deadline INTEGER
) STRICT, WITHOUT ROWID;
