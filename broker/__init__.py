"""Start, configure and watch the MQTT broker of a store; it never implements one."""
