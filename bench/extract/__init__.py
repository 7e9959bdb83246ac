"""The extraction of a big result, compared with the connector alone."""
