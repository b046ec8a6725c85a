"""What everybody in a simulation shares."""

from dataclasses import dataclass

from terms.ids import CallId
from warmline.simulation.agenda import Agenda
from warmline.simulation.books import Books
from warmline.simulation.truth import Truth
from warmline.simulation.watch import Watch
from warmline.simulation.witness import WatchedWorld


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The books, the world, the clock's agenda, and who checks what comes of it.

    `troubled` are calls that met with misfortune.
    """

    books: Books
    world: WatchedWorld
    agenda: Agenda
    truth: Truth
    watch: Watch
    troubled: set[CallId]
