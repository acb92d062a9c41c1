"""A whole store put together: settings, broker, roles, devices and the shop's goods."""
