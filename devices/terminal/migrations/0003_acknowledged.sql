-- A kiosk shows a reminder until somebody acknowledges it, also after a restart. What was shown
-- before was shown by a terminal at which nobody can.
ALTER TABLE reminder ADD COLUMN acknowledged_at INTEGER;
UPDATE reminder SET acknowledged_at = shown_at;
