"""What every node shares: the contract, the link, the journal and the runtime."""
