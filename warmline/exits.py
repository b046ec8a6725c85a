"""Expected failures: one sentence that says what to do, exit status 2, no traceback."""

EXIT_STATUS = 2


class Unusable(Exception):
    """Warmline cannot go on until somebody mends something outside it.

    The text is one sentence for the person at the terminal: what is wrong and what to do.
    """
