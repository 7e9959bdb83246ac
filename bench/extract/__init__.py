"""Extraction of a big result, beside the connector alone."""
