CREATE TABLE job_2 (
    id TEXT NOT NULL,
    assignment INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    pickup_point TEXT NOT NULL,
    picks TEXT NOT NULL,            -- JSON: sku, location and quantity; none in a tombstone
    step TEXT NOT NULL CHECK (
        step IN (
            'assigned', 'travelling', 'picking', 'conveying', 'packing', 'done', 'aborted'
        )
    ),
    pick INTEGER NOT NULL,          -- which of the picks is worked on, from 0
    since INTEGER NOT NULL,
    parcel TEXT,
    taken INTEGER NOT NULL DEFAULT 0,   -- how many of the picks had been taken when it stopped
    PRIMARY KEY (id, assignment)
) STRICT;
INSERT INTO job_2 SELECT *, 0 FROM job;
DROP TABLE job;
ALTER TABLE job_2 RENAME TO job;
-- A sorter does one job at a time.
CREATE UNIQUE INDEX job_under_way ON job (step NOT IN ('done', 'aborted'))
    WHERE step NOT IN ('done', 'aborted');
