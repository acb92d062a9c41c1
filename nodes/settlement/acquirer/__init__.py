"""The card payment provider: a client for it, and a simulated one that runs as its own process.

Settlement uses `client` and nothing else of this package; the simulator (`server`, `book`, `log`)
stands for a company at the other end of a line and must not know orders, the bus or SQLite.
"""
