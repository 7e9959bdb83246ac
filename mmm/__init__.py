"""The command line, and what a laptop needs in place of the cloud."""
