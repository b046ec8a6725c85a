"""Any number of random operations on everything that is counted, then the reckoning.

`make test` runs some; `make exercise` runs a million in memory and fifty thousand by fifty clients.
"""

import os

OPERATIONS_IN_MEMORY = int(os.environ.get("WARMLINE_EXERCISE_IN_MEMORY", "100_000"))
OPERATIONS_OVER_POSTGRESQL = int(os.environ.get("WARMLINE_EXERCISE_OVER_POSTGRESQL", "2_000"))
CLIENTS = 50
