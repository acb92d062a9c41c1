-- Which tax the price includes, in basis points; null if the receipt shows none.
ALTER TABLE style ADD COLUMN tax_rate INTEGER CHECK (tax_rate BETWEEN 0 AND 10000);
