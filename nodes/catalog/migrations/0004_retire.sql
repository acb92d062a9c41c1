-- A retired style is not offered, found or sold; orders that hold it go on.
ALTER TABLE style ADD COLUMN retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
-- Who retired what and why, and who took it back.
CREATE TABLE retirement (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    sku TEXT NOT NULL REFERENCES style (sku),
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    caller TEXT NOT NULL,               -- the node at which it was entered
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX retirement_by_sku ON retirement (sku, id);
