-- Spelled as the queries spell it: SQLite would not use it otherwise.
DROP INDEX order_by_open_code;
CREATE UNIQUE INDEX order_by_open_code ON orders (pickup_code)
    WHERE state NOT IN ('cancelled', 'collected', 'declined', 'expired', 'refused');
-- Orders are listed newest first.
CREATE INDEX order_by_time ON orders (since);
