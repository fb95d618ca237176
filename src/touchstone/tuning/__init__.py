"""Search over the fields of configs: which settings to try, in which order, and when to stop one.

What a setting is worth is the caller's business: it hands in a function. Optuna stays in
`tuning/search.py` and `tuning/storage.py`, and in the samplers and pruners that it brings.
"""
