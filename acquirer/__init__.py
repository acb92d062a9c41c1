"""A simulated card payment provider: a process that knows no order and no bus."""
