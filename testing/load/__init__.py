"""The load generator: arrivals that wait for nobody, what came of them, and how it is shown.

`storebus load` drives it against any store, `make load` against one of its own.
"""
