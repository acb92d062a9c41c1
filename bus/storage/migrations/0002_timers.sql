-- Timers are taken up when their time is near.
CREATE INDEX outbox_by_timer ON outbox (due_at) WHERE kind = 'timer';
