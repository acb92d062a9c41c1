"""The terminal: where a customer scans, buys and is reminded."""
