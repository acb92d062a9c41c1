-- What came with which delivery: brought again, it counts once.
CREATE TABLE delivery (
    name TEXT NOT NULL,
    item TEXT NOT NULL,             -- a SKU and a location
    content TEXT NOT NULL,          -- a hash of the file; empty if the name alone tells
    amount INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (name, item, content)
) STRICT, WITHOUT ROWID;

-- With which delivery goods came that the catalog has not acknowledged yet.
ALTER TABLE receipt ADD COLUMN delivery TEXT;
ALTER TABLE receipt ADD COLUMN content TEXT;
