-- Which database this is, and how far it has come. A copy has the same name.
CREATE TABLE database (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,             -- the start of the node that made it
    position INTEGER NOT NULL       -- rises with each transaction in which something was decided
) STRICT;

-- The same of other nodes, as they showed it last; and what they had before, if that is lost.
CREATE TABLE peer (
    node TEXT PRIMARY KEY,
    database TEXT NOT NULL,
    position INTEGER NOT NULL,
    boot TEXT NOT NULL,             -- the start of the node that showed it
    lost_kind TEXT,
    lost_database TEXT,
    lost_position INTEGER,
    lost_at INTEGER                 -- when that was noticed, by the steady clock
) STRICT, WITHOUT ROWID;
