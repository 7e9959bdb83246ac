"""The training step: prepare what R reads, run R, keep what it finishes."""
