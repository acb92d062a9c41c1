"""A node's files: its database, its effect log, and who may read them."""
