"""What every node is made of: it receives, decides in one transaction, and publishes."""
