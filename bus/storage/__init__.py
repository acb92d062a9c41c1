"""A node's files: its database, the log of what was done in the world, and who may read them."""
