"""What tests a store or a device: scenarios, certification, load, and what these share."""
