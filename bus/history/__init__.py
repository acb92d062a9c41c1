"""Recordings of a store's messages, messages as operators see them, and the filter language."""
