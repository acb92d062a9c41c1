CREATE TABLE location (
    id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE bin (
    location TEXT NOT NULL REFERENCES location (id),
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (sku, location)
) STRICT, WITHOUT ROWID;

-- Goods that came in and that the catalog has not acknowledged yet.
CREATE TABLE receipt (
    caller TEXT NOT NULL,
    request TEXT NOT NULL,
    sku TEXT NOT NULL,
    location TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    restock TEXT NOT NULL UNIQUE,       -- the id of the message to the catalog
    PRIMARY KEY (caller, request)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    pickup_point TEXT NOT NULL,
    lines TEXT NOT NULL,                -- JSON: sku and quantity
    state TEXT NOT NULL CHECK (state IN ('waiting', 'assigned', 'packed')),
    assignment INTEGER NOT NULL DEFAULT 0,
    sorter TEXT,
    picks TEXT,                         -- JSON: sku, location and quantity, once allocated
    parcel TEXT,
    created_at INTEGER NOT NULL,
    place INTEGER NOT NULL              -- first come, first served
) STRICT;
CREATE INDEX job_by_state ON job (state, place);
CREATE UNIQUE INDEX job_by_sorter ON job (sorter) WHERE state = 'assigned';
