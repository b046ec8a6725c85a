"""A switch with handsets that exists only in memory. It rings nobody's real phone.

`world` is the pure model; `server` keeps it in a process of its own so that calls outlive a kill of
ours; `client` speaks to that process as to any carrier; `in_process` holds the world directly, for
`warmline simulate` and unit tests. `docs/simulated-carrier.md` tells how to work the handsets.
"""
