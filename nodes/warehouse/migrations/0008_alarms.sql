-- Where fewer pieces lay than the books said, until somebody has counted there.
CREATE TABLE short_pick (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    sku TEXT NOT NULL,
    location TEXT,                      -- none where no location holds any
    order_id TEXT NOT NULL,
    sorter TEXT,                        -- who looked, if anybody did
    pieces INTEGER NOT NULL             -- written off, or lacking
) STRICT;
CREATE INDEX short_pick_by_place ON short_pick (sku, location);

-- Sorters that have taken no job since they refused one.
CREATE TABLE refusing_sorter (
    sorter TEXT PRIMARY KEY,
    since INTEGER NOT NULL,             -- by the steady clock
    last INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- With whom the goods are.
ALTER TABLE superseded ADD COLUMN sorter TEXT;
ALTER TABLE goods_return ADD COLUMN place TEXT;
