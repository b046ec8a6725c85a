"""What `warmline doctor` asks of Asterisk. It looks, and changes nothing."""

from dataclasses import dataclass

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.asterisk.carrier import Address
from warmline.carriers.asterisk import address_of
from warmline.exits import Unusable
from warmline.settings import Settings

_MADE_FOR = 22
_CONTEXTS = {
    "warmline-ended": "s",  # how a leg ended is kept there while nobody listens
    "warmline-in": "+862100000025",  # whoever dials a number of ours
}
_GONE = "404"


@dataclass(frozen=True, slots=True)
class Examined:
    """What there is; worrying where it works, but not as it should."""

    text: str
    is_worrying: bool = False


async def examine_asterisk(settings: Settings) -> Examined:
    """Whether Asterisk answers, is of the right version, and has what we need of its
    configuration. Raises Unusable, with the first thing that has to be mended.
    """
    at = address_of(settings)
    ari = Ari(at.url, at.user, at.password, at.app)
    try:
        return await _examine(ari, at)
    except CarrierUnreachable as away:
        raise Unusable(
            f"{away} ({at.url}, user {at.user}): start Asterisk, or mend WARMLINE_ASTERISK_URL, "
            "_USER and _PASSWORD."
        ) from None
    except (CarrierRefused, CarrierUnknown) as fault:
        raise Unusable(
            f"Asterisk at {at.url} answers strangely ({fault}): see that its modules are those of "
            "`warmline carrier asterisk render`."
        ) from None
    finally:
        await ari.close()


async def _examine(ari: Ari, at: Address) -> Examined:
    version = await _version(ari)
    for context, extension in _CONTEXTS.items():
        if not await _has(ari, context, extension):
            raise Unusable(
                f"Asterisk's dialplan has no context {context}: put the files of `warmline carrier "
                "asterisk render` in place and restart it."
            )
    trunk = await _trunk(ari, at.trunk)
    if trunk == "offline":
        text = f"Asterisk {version} answers, but its trunk {at.trunk} is away: nobody can be rung."
        return Examined(text, is_worrying=True)
    major = version.partition(".")[0]
    if major != str(_MADE_FOR):
        text = f"Asterisk {version} answers; Warmline is made for {_MADE_FOR} and was tried on it."
        return Examined(text, is_worrying=True)
    return Examined(f"Asterisk {version} at {at.url}, trunk {at.trunk}")


async def _version(ari: Ari) -> str:
    found = await ari.ask("GET", "asterisk", "info", query={"only": "system"})
    system = found.get("system") if isinstance(found, dict) else None
    version = system.get("version") if isinstance(system, dict) else None
    if not isinstance(version, str):
        raise CarrierUnknown("it names no version")
    return version.partition("+")[0]


async def _has(ari: Ari, context: str, extension: str) -> bool:
    """Asked of the state of a telephone at that place, which there is only where the place is."""
    found = await ari.ask("GET", "deviceStates", f"Local/{extension}@{context}")
    return isinstance(found, dict) and found.get("state") != "INVALID"


async def _trunk(ari: Ari, name: str) -> str:
    try:
        found = await ari.ask("GET", "endpoints", "PJSIP", name)
    except CarrierRefused as refusal:
        if refusal.code != _GONE:
            raise
        raise Unusable(
            f"Asterisk has no endpoint PJSIP/{name}: name yours in WARMLINE_ASTERISK_TRUNK, or "
            "take over the pjsip.conf of `warmline carrier asterisk render`."
        ) from None
    return str(found.get("state")) if isinstance(found, dict) else ""
