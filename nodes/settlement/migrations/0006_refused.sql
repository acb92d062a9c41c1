-- Refunds that the payment provider refused: a person sees to each.
CREATE TABLE refused_refund (
    name TEXT PRIMARY KEY,              -- of the refund: its idempotency key
    order_id TEXT NOT NULL REFERENCES orders (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,               -- the provider's words, the last time it was asked
    since INTEGER NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX refused_refund_by_order ON refused_refund (order_id, since);
CREATE INDEX refused_refund_open ON refused_refund (since) WHERE open = 1;

-- What people did about them, and why.
CREATE TABLE resolution (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    refund TEXT NOT NULL REFERENCES refused_refund (name),
    order_id TEXT NOT NULL REFERENCES orders (id),
    how TEXT NOT NULL CHECK (how IN ('retry', 'by-hand')),
    caller TEXT NOT NULL,               -- the node at which it was entered
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX resolution_by_order ON resolution (order_id, id);

-- Since when the payment provider does not let us in, and what it says; one row at the most.
CREATE TABLE provider_fault (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
