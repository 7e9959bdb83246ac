"""Cloud Run on a laptop: executions and tasks as local processes."""
