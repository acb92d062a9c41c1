"""How a command ends, for whoever started it: a script, a service manager, another command."""

DONE, REFUSED, USAGE, NO_BROKER, BROKEN_REPLY, STOOD_STILL = range(6)
"""Done; refused by the store; wrong usage; no broker; a reply broke the contract; to be started
again."""
