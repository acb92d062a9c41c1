-- What the books of a style come to, without reading all that is not about it.
CREATE INDEX adjustment_by_sku ON adjustment (sku, kind, change);
