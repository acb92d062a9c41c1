"""The devices of the shop floor and the stockroom; they know each other only by the contract."""
