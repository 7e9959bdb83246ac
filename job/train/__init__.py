"""The training step: prepare R's input, run R, store the finished trials."""
