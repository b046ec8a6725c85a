"""Where Twilio calls us: signed, kept, answered at once.

Nothing of a request is looked at before its signature. What is answered to a voice webhook was
decided once and kept, so that Twilio is told the same thing as often as it asks.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiohttp import web
from multidict import MultiDict
from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from dialer.carriers.twilio.backlog import Backlog
from dialer.carriers.twilio.ear import Ear
from dialer.carriers.twilio.names import (
    ANNOUNCE,
    CALLS,
    CONFERENCES,
    INBOUND,
    NUMBER,
    VOICE,
    call_of_leg,
    leg_of_label,
    leg_of_token,
)
from terms.ids import CallId

Form = MultiDict[str]
Take = Callable[[web.Request, Form], Awaitable[web.Response]]
Handler = Callable[[web.Request], Awaitable[web.Response]]

log = logging.getLogger(__name__)


class Signatures:
    """Knows whether Twilio signed a request: over the address it was given, which is public."""

    def __init__(self, public_url: str, auth_tokens: Sequence[str]) -> None:
        """`auth_tokens`: the account's own, and while it is changed the other one, too."""
        self._public_url = public_url.rstrip("/")
        self._validators = [RequestValidator(token) for token in auth_tokens]

    async def form(self, request: web.Request) -> Form | None:
        """What the request holds; None unless its signature holds."""
        form: Form = MultiDict()
        if request.content_type == "application/x-www-form-urlencoded":
            form.extend(
                (name, value)
                for name, value in (await request.post()).items()
                if isinstance(value, str)
            )
        signature = request.headers.get(SIGNATURE_HEADER, "")
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER))
        url = self._public_url + request.raw_path
        if signature and any(
            _holds(one, url, form, signature, algorithm) for one in self._validators
        ):
            return form
        log.warning("a request to Twilio's address was not signed by Twilio: %s", _kind(request))
        return None

    def checked(self, take: Take) -> Handler:
        """A handler that is given what is signed; everything else is 403 and goes no further."""

        async def handle(request: web.Request) -> web.Response:
            form = await self.form(request)
            if form is None:
                return web.Response(status=403, text="no signature of Twilio's holds")
            return await take(request, form)

        return handle


def routes(ear: Ear, signatures: Signatures, backlog: Backlog) -> list[web.RouteDef]:
    """The routes of voice, to be mounted at the service's root."""

    def counted(take: Take) -> Take:
        async def counting(request: web.Request, form: Form) -> web.Response:
            coming = object()
            backlog.add(coming, _call_of(request, form))
            try:
                return await take(request, form)
            finally:
                backlog.drop(coming)

        return counting

    async def inbound(_request: web.Request, form: Form) -> web.Response:
        return _document(await ear.dialled_in(form))

    async def voice(request: web.Request, form: Form) -> web.Response:
        asked = request.match_info
        strand, step = int(asked["strand"]), int(asked["step"])
        return _document(await ear.asked(asked["token"], strand, step, form))

    async def announce(request: web.Request, _form: Form) -> web.Response:
        asked = request.match_info
        return _document(await ear.announced(asked["language"], asked["prompt"]))

    async def number(request: web.Request, _form: Form) -> web.Response:
        return _document(await ear.number_asked(request.match_info["token"]))

    async def calls(request: web.Request, form: Form) -> web.Response:
        await ear.told_of_call(request.match_info.get("token"), form)
        return web.Response(status=204)

    async def conferences(_request: web.Request, form: Form) -> web.Response:
        await ear.told_of_conference(form)
        return web.Response(status=204)

    doors: tuple[tuple[str, Take], ...] = (
        (INBOUND, inbound),
        (VOICE + r"/{token}/{strand:[0-9]{1,9}}/{step:[0-9]{1,9}}", voice),
        (ANNOUNCE + "/{language}/{prompt}", announce),
        (NUMBER + "/{token}", number),
        (CALLS, calls),
        (CALLS + "/{token}", calls),
        (CONFERENCES, conferences),
    )
    return [web.post(path, signatures.checked(counted(take))) for path, take in doors]


def _call_of(request: web.Request, form: Form) -> CallId | None:
    """Which call it is about, by the token it is told under or by the participant's label."""
    token, label = request.match_info.get("token"), form.get("ParticipantLabel", "")
    return call_of_leg(leg_of_label(label) if token is None else leg_of_token(token))


def _holds(one: RequestValidator, url: str, form: Form, signature: str, algorithm: str) -> bool:
    """The address as it is, first: the SDK computes two, with a port and without, every time."""
    with suppress(ValueError):  # an algorithm it does not know
        computed: str = one.compute_signature(url, form, algorithm)
        if hmac.compare_digest(computed.encode(), signature.encode("utf-8", "replace")):
            return True
    return bool(one.validate(url, form, signature, algorithm))


def _document(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/xml", charset="utf-8")


def _kind(request: web.Request) -> str:
    """The address without what names a leg."""
    return "/".join(request.path.split("/")[:4])
