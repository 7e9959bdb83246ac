"""A deterministic simulation of the control plane: see `docs/reliability.md`."""
