"""Estimate the time and cost of a run before it starts, and check its limits.

`work` describes the size of a run. `model` predicts its seconds, and `history` corrects them by
past runs. `machine` and `prices` give the price of a second. `estimate` combines these. `limits`
refuses a run that is over its limits, and `budget` applies all of this to a run.
"""
