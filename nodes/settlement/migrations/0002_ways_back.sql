-- What is still to be undone of an order that was cancelled or has expired.
ALTER TABLE orders ADD COLUMN undo TEXT NOT NULL DEFAULT '[]';      -- JSON: steps
ALTER TABLE orders ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0;  -- minor units that went back
ALTER TABLE orders ADD COLUMN reminder TEXT;                        -- the id of the last remind

DROP INDEX order_by_open_code;
CREATE UNIQUE INDEX order_by_open_code ON orders (pickup_code)
    WHERE state NOT IN ('collected', 'refused', 'declined', 'cancelled', 'expired');

-- What the warehouse last said is wrong there.
CREATE TABLE alarm (
    kind TEXT PRIMARY KEY,
    detail TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
