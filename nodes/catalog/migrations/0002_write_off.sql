-- What came in and what turned out not to be there, so that the books can be counted.
ALTER TABLE style ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
ALTER TABLE style ADD COLUMN written_off INTEGER NOT NULL DEFAULT 0;
-- Written off, but still counted on hand because orders hold it.
ALTER TABLE style ADD COLUMN short INTEGER NOT NULL DEFAULT 0 CHECK (short >= 0);

UPDATE style SET received = on_hand + (
    SELECT coalesce(sum(quantity), 0) FROM reservation_line JOIN reservation USING (order_id)
    WHERE reservation_line.sku = style.sku AND reservation.state = 'committed'
);
