"""What is true of many causes, too, and may be said beside them."""

LATE = "settlement did not answer purchase of terminal-1 in time"
"""The customer has waited for a minute."""
UNASKED = "settlement did not answer ping of terminal-1 in time"
"""Before it buys, a terminal asks what time it is."""
REPEATED = "{times} % of the messages of the last minute are repetitions"
"""Little else is said in a small store."""
FULL = (
    " cannot write its database, its disk is full: free some space there. Then it goes on by"
    " itself."
)
"""What the alarm says, after the name of the node."""
MEND = "Mend its disk, as its alarm says: then it goes on by itself."
"""What is to be done where an order waits for that."""
