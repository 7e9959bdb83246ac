"""The Cloud Function: cold start, memory and load, beside a handler that only launches."""
