"""The exit codes of a command, for scripts, service managers and other commands."""

DONE, REFUSED, USAGE, NO_BROKER, BROKEN_REPLY, STOOD_STILL = range(6)
"""Done; refused by the store; wrong usage; no broker; a reply broke the contract; stood still and
needs a restart."""
