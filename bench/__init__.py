"""Measurements whose results are committed; each is run by a target of the Makefile."""
