"""What a run takes before it is started: minutes and money.

`work` is what decides the time, `model` predicts seconds from it, `history` corrects them by past
runs, `prices` and `machine` turn them into money, `estimate` puts these together, `limits` refuses.
"""
