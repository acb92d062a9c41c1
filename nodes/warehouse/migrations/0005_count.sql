-- What people counted: who, why, and by how much the books were wrong.
CREATE TABLE stock_count (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,               -- the node at which it was entered
    request TEXT NOT NULL,              -- and the id of its message
    sku TEXT NOT NULL,
    location TEXT NOT NULL REFERENCES location (id),
    booked INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    change INTEGER NOT NULL,
    reason TEXT NOT NULL,
    message TEXT UNIQUE                 -- to the catalog, until it has answered
) STRICT;
CREATE INDEX stock_count_by_sku ON stock_count (sku, id);
-- Which count an adjustment comes from, if from any.
ALTER TABLE adjustment ADD COLUMN stock_count INTEGER REFERENCES stock_count (id);
CREATE INDEX adjustment_by_stock_count ON adjustment (stock_count)
    WHERE stock_count IS NOT NULL;
