"""The console: the commands of `mmm` as pages in a browser."""
