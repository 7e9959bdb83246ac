"""Stand-ins for cloud services, over real connections."""
