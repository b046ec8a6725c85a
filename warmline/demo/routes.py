"""What the page at `/` needs to let a newcomer play: numbers, codes, and a look behind the desk.

These answers hold a login. They are there while the demo runs, and for this machine alone.
"""

from typing import TYPE_CHECKING

from aiohttp import web

from warmline.api.simulation import SIMULATION
from warmline.api.this_machine import only_this_machine
from warmline.demo import cast
from warmline.demo.playbill import Playbill
from warmline.http.problems import Unavailable
from warmline.people import StaffRole
from warmline.people.store import add_staff_token, staff_by_email
from warmline.people.tokens import TokenKind, new_token, token_hash

if TYPE_CHECKING:
    from warmline.serve import House


class DemoRoutes:
    """Made before the process is furnished, opened once the stage is set."""

    def __init__(self) -> None:
        self._playing: tuple[House, Playbill] | None = None

    def all(self) -> list[web.RouteDef]:
        """To be mounted at the service's root."""
        return [
            web.get("/demo/start", self.start),
            web.post("/demo/looking-behind-the-desk", self.look_behind_the_desk),
        ]

    def open(self, house: "House", playbill: Playbill) -> None:
        """Answer from now on."""
        self._playing = (house, playbill)

    async def start(self, request: web.Request) -> web.Response:
        """What there is to play with. Raises Forbidden, Unavailable."""
        _only_this_machine(request)
        if self._playing is None:
            raise Unavailable
        house, playbill = self._playing
        return web.json_response(
            {
                "now": house.clock.now().isoformat(),
                "caller": cast.CALLERS[0].digits,
                "vouchers": playbill.staged.vouchers,
                "service_numbers": playbill.service_numbers(),
                "counselors": [_phone(role) for role in cast.COUNSELORS],
                "agencies": [
                    {"name": agency.name, "number": agency.number.digits}
                    for agency in cast.AGENCIES
                ],
            }
        )

    async def look_behind_the_desk(self, request: web.Request) -> web.Response:
        """A token of support, so that a newcomer sees the evidence without an authenticator.

        Raises Forbidden, Unavailable.
        """
        _only_this_machine(request)
        if self._playing is None:
            raise Unavailable
        house, _ = self._playing
        token = new_token(TokenKind.STAFF)
        async with house.pool.acquire() as connection:
            support = await staff_by_email(connection, house.settings.tenant, _support().email)
            assert support is not None
            await add_staff_token(
                connection, support.tenant, support.id, token_hash(token), house.clock.now()
            )
        return web.json_response({"token": token}, status=201)


def _phone(role: cast.Role) -> dict[str, object]:
    return {
        "id": role.id,
        "name": role.name,
        "number": role.number.digits,
        "program": role.program,
        "answers_after_seconds": role.answers_after_seconds,
    }


def _support() -> cast.Login:
    return next(login for login in cast.LOGINS if StaffRole.SUPPORT in login.roles)


def _only_this_machine(request: web.Request) -> None:
    """Raises Forbidden, unless the operator has opened the simulation."""
    if not request.app[SIMULATION].settings.sim_open:
        only_this_machine(request, "The demo is for this machine alone.")
