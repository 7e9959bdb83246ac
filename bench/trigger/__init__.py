"""Cold start, memory and load of the function, compared with a handler that only launches."""
