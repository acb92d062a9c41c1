"""Plays the store against a device under development and says which rules the device keeps."""
