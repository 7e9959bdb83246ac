"""The batch job: extract, check, train, upload, tell."""
