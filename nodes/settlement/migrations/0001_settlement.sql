CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    request TEXT NOT NULL,          -- the id of its purchase message
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    lines TEXT NOT NULL,            -- JSON: sku, quantity and, once reserved, price
    expected_amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    total INTEGER,                  -- once reserved
    payment TEXT NOT NULL,          -- JSON: the method and its account or token
    reference TEXT,                 -- once paid
    pickup_point TEXT NOT NULL,
    pickup_code TEXT NOT NULL,
    parcel TEXT                     -- once packed
) STRICT;
CREATE INDEX order_by_state ON orders (state, since);
CREATE INDEX order_by_terminal ON orders (terminal, since);
-- A code opens one parcel: it is used again only after that one is gone.
CREATE UNIQUE INDEX order_by_open_code ON orders (pickup_code)
    WHERE state NOT IN ('collected', 'refused', 'declined', 'cancelled');

CREATE TABLE order_state (
    order_id TEXT NOT NULL REFERENCES orders (id),
    place INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (order_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE pickup_point (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    is_default INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Double entry: the postings of each transfer sum to zero. `customer:*` never goes below zero.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL DEFAULT 0,
    CHECK (balance >= 0 OR id NOT LIKE 'customer:%')
) STRICT, WITHOUT ROWID;

CREATE TABLE transfer (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    order_id TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE posting (
    transfer TEXT NOT NULL REFERENCES transfer (id),
    account TEXT NOT NULL REFERENCES account (id),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transfer, account)
) STRICT, WITHOUT ROWID;
