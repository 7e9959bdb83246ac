"""The `mmm` command line, and its local stand-ins for Cloud Run and Pub/Sub."""
