"""Where phones, people and worth meet.

`fold` decides: pure, over the slice of the world that one event touches. `Desk` is the thin shell
around it: load and lock, fold, write, all in one transaction, and wake the workers after it.
"""
