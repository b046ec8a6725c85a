"""What the endpoints need of the process, and the look-ups they share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from billing.order import Order
from billing.store.orders import load_order
from dialer.service_level import ServiceLevel
from terms.ids import OrderId, ProgramId
from warmline.desk.desk import Desk
from warmline.http.asked import Asked
from warmline.http.problems import NotFound
from warmline.http.who import Caller
from warmline.programs import Program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection

DESK = web.AppKey("desk", Desk)
PROGRAMS: web.AppKey[Mapping[ProgramId, Program]] = web.AppKey("programs", Mapping)
SERVICE_LEVEL = web.AppKey("service_level", ServiceLevel)


def key_for(seal: AesSeal, purpose: str) -> bytes:
    """A key of this installation for one purpose alone."""
    return seal.sign(b"key", purpose)


def program_of(asked: Asked, program: ProgramId) -> Program:
    """The program as it is offered now. Raises NotFound."""
    found = asked.part(PROGRAMS).get(program)
    if found is None:
        raise NotFound
    return found


async def own_order(asked: Asked, connection: "Connection", order: OrderId) -> Order:
    """An order that whoever asks may see: a caller their own, an app any. Raises NotFound."""
    found = await load_order(connection, asked.tenant, order)
    if found is None or (isinstance(asked.who, Caller) and found.caller != asked.who.id):
        raise NotFound
    return found
