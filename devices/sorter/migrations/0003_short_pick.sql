CREATE TABLE job_3 (
    id TEXT NOT NULL,
    assignment INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    pickup_point TEXT NOT NULL,
    picks TEXT NOT NULL,            -- JSON: sku, location and quantity; none in a tombstone
    step TEXT NOT NULL CHECK (
        step IN (
            'assigned', 'travelling', 'picking', 'short', 'conveying', 'packing', 'done',
            'aborted'
        )
    ),
    pick INTEGER NOT NULL,          -- which of the picks is worked on, from 0
    since INTEGER NOT NULL,
    parcel TEXT,
    found TEXT NOT NULL,            -- JSON: how many pieces were taken at each pick that is done
    PRIMARY KEY (id, assignment)
) STRICT;
INSERT INTO job_3 SELECT id, assignment, order_id, pickup_point, picks, step, pick, since, parcel, (
    SELECT json_group_array(value ->> 'quantity') FROM json_each(picks) WHERE key < CASE
        WHEN step = 'aborted' THEN taken
        WHEN step IN ('conveying', 'packing', 'done') THEN json_array_length(picks)
        ELSE pick
    END
) FROM job;
DROP TABLE job;
ALTER TABLE job_3 RENAME TO job;
-- A sorter does one job at a time.
CREATE UNIQUE INDEX job_under_way ON job (step NOT IN ('done', 'aborted'))
    WHERE step NOT IN ('done', 'aborted');
