"""Whole stores in one process, on a virtual clock, with faults, from a seed.

The roles, the journal, the runtime and the domain are the product's own; only the clock, chance,
the network, the payment provider and the machines are the simulation's.
"""
