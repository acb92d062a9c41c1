-- Every code that leads to goods, in one spelling: labels, GTINs and SKUs are one name space. Not
-- unique: a store of an older version may hold labels of other goods. Filled at the first start.
CREATE TABLE code (
    spelling TEXT NOT NULL,
    product TEXT NOT NULL REFERENCES product (id),
    sku TEXT NOT NULL,              -- the style; empty for the product's label
    PRIMARY KEY (spelling, product, sku)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_by_product ON code (product);
