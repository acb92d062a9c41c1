-- Wrong pickup codes by who sent them: whoever guesses is locked for a while.
CREATE TABLE guessing (
    caller TEXT PRIMARY KEY,
    wrong INTEGER NOT NULL,         -- codes since the last right one
    at INTEGER NOT NULL             -- when the last of them came
) STRICT, WITHOUT ROWID;
