-- The trace of each order that this node has to do with: its own, from its first message on. Only the
-- youngest are kept.
CREATE TABLE order_trace (
    number INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    trace TEXT NOT NULL UNIQUE  -- a trace-id (W3C Trace Context)
) STRICT;

-- The order that a command is about, so that its answer says so, too.
ALTER TABLE inbox ADD COLUMN order_id TEXT;
