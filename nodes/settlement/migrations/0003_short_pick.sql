-- What of an order could not be had, as JSON lines; its price goes back to the customer.
ALTER TABLE orders ADD COLUMN missing TEXT NOT NULL DEFAULT '[]';
-- Minor units that are to go back, as far as that was begun.
ALTER TABLE orders ADD COLUMN refunding INTEGER NOT NULL DEFAULT 0;

UPDATE orders SET refunding = CASE
    WHEN EXISTS (SELECT 1 FROM json_each(undo) WHERE value = 'refund') THEN total
    ELSE refunded
END;
