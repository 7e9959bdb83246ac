"""Faults on purpose: every interleaving and every death of the launch protocol, and seeded chaos."""
