-- Pieces that came in, and pieces that were not where the books said.
CREATE TABLE adjustment (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    sku TEXT NOT NULL,
    location TEXT,                      -- none for what was there before this table
    change INTEGER NOT NULL CHECK (change <> 0),
    kind TEXT NOT NULL CHECK (kind IN ('received', 'written-off')),
    job TEXT                            -- whose sorter noticed
) STRICT;

INSERT INTO adjustment (at, sku, change, kind)
SELECT 0, sku, sum(quantity), 'received' FROM (
    SELECT sku, quantity FROM bin
    UNION ALL
    SELECT sku, -quantity FROM receipt
    UNION ALL
    SELECT json_extract(value, '$.sku'), json_extract(value, '$.quantity') FROM (
        SELECT picks AS goods FROM job WHERE picks IS NOT NULL
        UNION ALL SELECT picks FROM superseded
        UNION ALL SELECT lines FROM goods_return
    ), json_each(goods)
) GROUP BY sku HAVING sum(quantity) > 0;
