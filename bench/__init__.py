"""Benchmarks with committed results; each has a target in the Makefile."""
