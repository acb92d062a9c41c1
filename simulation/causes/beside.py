"""What is true of many causes, too, and may be said beside them."""

LATE = "settlement has not answered terminal-1's purchase: {span} over its deadline"
"""The customer has waited for a minute."""
UNASKED = "settlement has not answered terminal-1's ping: {span} over its deadline"
"""Before it buys, a terminal asks what time it is."""
REPEATED = (
    "{times} % of the messages of the last minute are repetitions; most often {node} asks {node}"
    " again for {word}: {times} times"
)
"""Little else is said in a small store."""
FULL = (
    " cannot write its database, its disk is full: free some space there. Then it goes on by"
    " itself."
)
"""What the alarm says, after the name of the node."""
MEND = "Mend its disk, as its alarm says: then it goes on by itself."
"""What is to be done where an order waits for that."""
SILENT = "the payment provider does not answer: {words}"
SHORT = "sorter-1 found {times} of {sku} too few at {place}, last for {other}; they are written off"
PUT_BACK = "{times} x {sku} of {other} lie at {node} and belong on a shelf"
REFUSES = "sorter-9 refuses pick again and again: {words}"
