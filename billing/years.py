"""Which year something counts for, once the day that years are counted from was corrected. Pure.

Vouchers and uses are given for a year that begins on some day. When an insurer corrects the day
from which years are counted, nothing that was given is taken back, and nothing is given twice: each
of the old years stands for the new one that begins nearest to it.
"""

from datetime import date

from terms.calendar import anniversary


def year_stood_for(anchor: date, began_on: date) -> int:
    """The number of the year, the first from `anchor` being 1, that one begun then stands for.

    What began before the anchor stands for the first year; of two equally near it is the earlier.
    """
    near = max(began_on.year - anchor.year, 0)
    years = range(max(near - 1, 0), near + 2)
    nearest = min(years, key=lambda year: (abs(anniversary(anchor, year) - began_on), year))
    return nearest + 1
