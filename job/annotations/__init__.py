"""Dated events from a CSV file (`annotations` in the config), joined to the data as factors.

`events` holds the values, `read` makes them of a file, `join` writes them into a snapshot.
"""
