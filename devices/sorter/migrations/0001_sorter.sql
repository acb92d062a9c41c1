CREATE TABLE job (
    id TEXT PRIMARY KEY,
    assignment INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    pickup_point TEXT NOT NULL,
    picks TEXT NOT NULL,            -- JSON: sku, location and quantity
    step TEXT NOT NULL CHECK (
        step IN ('assigned', 'travelling', 'picking', 'conveying', 'packing', 'done')
    ),
    pick INTEGER NOT NULL,          -- which of the picks is worked on, from 0
    since INTEGER NOT NULL,
    parcel TEXT
) STRICT;
-- A sorter does one job at a time.
CREATE UNIQUE INDEX job_under_way ON job (step <> 'done') WHERE step <> 'done';
