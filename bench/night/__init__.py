"""A night of many markets on stand-ins that have the quotas of the real services."""
