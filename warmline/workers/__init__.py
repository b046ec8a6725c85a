"""What goes on in the background: obeying, waking, seating, lapsing, reconciling.

Any number of processes may run all of them at once. Each looks when it is woken, and once a second
anyway; nothing is lost when a wake-up is.
"""
