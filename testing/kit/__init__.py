"""What the testing tools share: request items, callers, fake nodes, statistics, virtual time."""
