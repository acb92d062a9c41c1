"""Scenarios: acceptance tests of a store in YAML, played over a real or a simulated bus."""
