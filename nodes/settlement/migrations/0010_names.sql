-- Who paid in, and with which delivery.
CREATE TABLE deposit (
    transfer TEXT PRIMARY KEY REFERENCES transfer (id),
    caller TEXT NOT NULL,
    delivery TEXT                   -- the delivery's name, if it came with one
) STRICT, WITHOUT ROWID;

-- A transfer that pays in is called deposit.CALLER.ID; its delivery was noted in the same moment.
INSERT INTO deposit
SELECT id, substr(id, 9, instr(substr(id, 9), '.') - 1), (
    SELECT max(name) FROM delivery
    WHERE delivery.at = transfer.at AND 'customer:' || item = posting.account
)
FROM transfer JOIN posting ON posting.transfer = transfer.id
WHERE id LIKE 'deposit.%' AND account LIKE 'customer:%';

-- Names that accounts had before.
CREATE TABLE renaming (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,             -- until then
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX renaming_by_account ON renaming (account, id);
