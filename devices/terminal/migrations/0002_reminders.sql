-- Two reminders of one order may wait to be shown: each call names the message that it answers.
UPDATE outbox SET payload = CAST(
    json_object(
        'reminder', json(CAST(payload AS TEXT)),
        'caller', caller,
        'request', substr(id, length(order_id) + 2)
    ) AS BLOB
)
FROM reminder
WHERE kind = 'call' AND target = 'screen'
    AND order_id = json_extract(CAST(payload AS TEXT), '$.order');

CREATE TABLE reminder_2 (
    order_id TEXT PRIMARY KEY,
    content TEXT NOT NULL,          -- JSON
    request TEXT NOT NULL,          -- the id of the last message that asked for it
    shown_at INTEGER                -- null until the customer has seen it
) STRICT, WITHOUT ROWID;
INSERT INTO reminder_2 SELECT order_id, content, request, shown_at FROM reminder;
DROP TABLE reminder;
ALTER TABLE reminder_2 RENAME TO reminder;
