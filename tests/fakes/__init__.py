"""Stand-ins for the cloud, over real connections."""
