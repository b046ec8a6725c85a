"""Days of calls lived through in seconds, from one seed, with every promise checked.

The very fold that the desk uses (`warmline.desk.fold`), over dictionaries in place of PostgreSQL,
with the simulated carrier's world in the same process and people who behave as people do.
"""
