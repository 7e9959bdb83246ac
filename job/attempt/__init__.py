"""One attempt at one run: its request, lease, turn on the market, tasks and status."""
