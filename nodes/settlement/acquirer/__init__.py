"""A client for the card payment provider, which may be ours (`acquirer`) or a real one."""
