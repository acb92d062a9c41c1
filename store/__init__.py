"""The composition root: settings, broker, roles, devices and the shop's goods make a store."""
