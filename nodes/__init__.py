"""The server roles; they know each other only through the contract."""
