"""The load generator: open-loop arrivals, their outcomes, and how they are shown.

`storebus load` runs it against any store, `make load` against one of its own.
"""
