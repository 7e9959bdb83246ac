"""Turn a message into a launched execution: validate, store the request once, launch, record."""
