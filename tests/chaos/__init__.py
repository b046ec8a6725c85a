"""Nothing is lost: real processes that are killed, starved of news, and robbed of their database.

Every test here starts `warmline serve` as a process of its own, with the handsets in another, on a
real PostgreSQL. What the phones do is known from their scripts, so the right end of each order is
known before it begins; what is done to our processes must not change it.
"""
