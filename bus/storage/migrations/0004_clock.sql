-- Where the node's steady clock was, and what the host's clocks said then: timers, deadlines and
-- locks go by it. Before this, they went by the wall clock; the steady clock begins with its time.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    host TEXT NOT NULL,         -- names the start of the host from which `uptime` counts
    uptime INTEGER NOT NULL,    -- milliseconds
    wall INTEGER NOT NULL,      -- milliseconds since the epoch
    steady INTEGER NOT NULL     -- milliseconds of the node's own
) STRICT;

-- A refusal for a deadline that had passed is not final any more: it may have been a wrong clock.
DELETE FROM inbox
WHERE json_valid(CAST(reply AS TEXT)) AND CAST(reply AS TEXT) LIKE '%"code":"expired"%'
    AND json_extract(CAST(reply AS TEXT), '$.data.code') = 'expired';
