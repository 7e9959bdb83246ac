"""Our search beside `robyn_run`: time, memory and the difference of the models."""
