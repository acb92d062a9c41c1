CREATE TABLE job_2 (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    pickup_point TEXT NOT NULL,
    lines TEXT NOT NULL,                -- JSON: sku and quantity; none in a tombstone
    state TEXT NOT NULL CHECK (
        state IN ('waiting', 'assigned', 'packed', 'withdrawing', 'withdrawn')
    ),
    assignment INTEGER NOT NULL DEFAULT 0,
    sorter TEXT,
    picks TEXT,                         -- JSON: sku, location and quantity, once allocated
    parcel TEXT,
    created_at INTEGER NOT NULL,
    place INTEGER NOT NULL,             -- first come, first served
    pick_message TEXT,                  -- the id of the message that gave it to its sorter
    withdrawer TEXT,                    -- who waits for the goods to be back on their shelves
    withdrawal TEXT                     -- and under which message id
) STRICT;
INSERT INTO job_2 SELECT *, NULL, NULL, NULL FROM job;
DROP TABLE job;
ALTER TABLE job_2 RENAME TO job;
CREATE INDEX job_by_state ON job (state, place);
CREATE UNIQUE INDEX job_by_sorter ON job (sorter) WHERE state = 'assigned';

-- Goods of a superseded assignment, until its sorter says what it had taken.
CREATE TABLE superseded (
    job TEXT NOT NULL REFERENCES job (id),
    assignment INTEGER NOT NULL,
    picks TEXT NOT NULL,
    PRIMARY KEY (job, assignment)
) STRICT, WITHOUT ROWID;

-- Goods that have left their locations and are to be put back with `receive`.
CREATE TABLE goods_return (
    parcel TEXT PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job (id),
    order_id TEXT NOT NULL,
    lines TEXT NOT NULL,                -- JSON: what is still to be put back
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sorters that reported a fault get no jobs until then.
CREATE TABLE paused_sorter (
    sorter TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
    kind TEXT PRIMARY KEY,
    detail TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
