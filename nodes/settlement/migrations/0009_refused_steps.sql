-- Steps back that another role refused for good: a person sees to each.
CREATE TABLE refused_step (
    name TEXT PRIMARY KEY,              -- of the order and the step
    order_id TEXT NOT NULL REFERENCES orders (id),
    step TEXT NOT NULL,
    callee TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX refused_step_by_order ON refused_step (order_id, since);
CREATE INDEX refused_step_open ON refused_step (since) WHERE open = 1;

-- What people did about them, and why.
CREATE TABLE step_resolution (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    step TEXT NOT NULL REFERENCES refused_step (name),
    order_id TEXT NOT NULL REFERENCES orders (id),
    how TEXT NOT NULL CHECK (how IN ('retry', 'by-hand')),
    caller TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX step_resolution_by_order ON step_resolution (order_id, id);

-- Charges that the provider refuses, for a reason that is not the card's, since it last charged one.
CREATE TABLE charge_refusal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    times INTEGER NOT NULL,
    order_id TEXT NOT NULL              -- the last of them
) STRICT;
