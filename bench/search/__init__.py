"""Our search compared with `robyn_run`: time, memory and the difference of the models."""
