"""Recordings of a store's messages, a message as people look at it, and what is searched for."""
