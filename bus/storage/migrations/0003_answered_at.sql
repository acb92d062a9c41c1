-- When a command was answered: after the keeping time its row is forgotten.
ALTER TABLE inbox ADD COLUMN answered_at INTEGER;
UPDATE inbox SET answered_at = received_at WHERE reply IS NOT NULL;
CREATE INDEX inbox_answered_at ON inbox (answered_at) WHERE answered_at IS NOT NULL;
