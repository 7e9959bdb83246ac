"""The whole R side compared with unmodified Robyn: time, memory and artifacts."""
