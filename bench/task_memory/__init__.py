"""Measure how much memory a task takes: its processes, and its files."""
