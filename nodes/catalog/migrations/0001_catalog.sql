CREATE TABLE product (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    url TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE style (
    sku TEXT PRIMARY KEY,
    product TEXT NOT NULL REFERENCES product (id),
    place INTEGER NOT NULL,         -- its place among the product's styles
    gtin TEXT NOT NULL UNIQUE,
    attributes TEXT NOT NULL,       -- a JSON object
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    on_hand INTEGER NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND on_hand)
) STRICT;
CREATE INDEX style_by_product ON style (product, place);

-- A released reservation without lines is a tombstone: its order's late reserve is refused.
CREATE TABLE reservation (
    order_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('held', 'committed', 'released')),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation_line (
    order_id TEXT NOT NULL REFERENCES reservation (order_id),
    place INTEGER NOT NULL,
    sku TEXT NOT NULL REFERENCES style (sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (order_id, place)
) STRICT, WITHOUT ROWID;
