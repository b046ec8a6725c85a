"""What `warmline doctor` asks of Asterisk. It looks, and changes nothing."""

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.asterisk.carrier import Address
from warmline.carriers.asterisk import address_of
from warmline.exits import Unusable
from warmline.findings import Finding, FindingCode, found
from warmline.settings import Settings

_MADE_FOR = 22
_CONTEXTS = {
    "warmline-ended": "s",  # how a leg ended is kept there while nobody listens
    "warmline-in": "+862100000025",  # whoever dials a number of ours
}
_GONE = "404"


async def examine_asterisk(settings: Settings) -> Finding:
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


async def _examine(ari: Ari, at: Address) -> Finding:
    version = await _version(ari)
    for context, extension in _CONTEXTS.items():
        if not await _has(ari, context, extension):
            raise Unusable(
                f"Asterisk's dialplan has no context {context}: put the files of `warmline carrier "
                "asterisk render` in place and restart it."
            )
    trunk = await _trunk(ari, at.trunk)
    if trunk == "offline":
        return found(FindingCode.CARRIER_TRUNK_AWAY, version=version, trunk=at.trunk)
    major = version.partition(".")[0]
    if major != str(_MADE_FOR):
        return found(FindingCode.CARRIER_OTHER_VERSION, version=version, made_for=_MADE_FOR)
    return found(FindingCode.CARRIER_ASTERISK, version=version, url=at.url, trunk=at.trunk)


async def _version(ari: Ari) -> str:
    told = await ari.ask("GET", "asterisk", "info", query={"only": "system"})
    system = told.get("system") if isinstance(told, dict) else None
    version = system.get("version") if isinstance(system, dict) else None
    if not isinstance(version, str):
        raise CarrierUnknown("it names no version")
    return version.partition("+")[0]


async def _has(ari: Ari, context: str, extension: str) -> bool:
    """Asked of the state of a telephone at that place, which there is only where the place is."""
    told = await ari.ask("GET", "deviceStates", f"Local/{extension}@{context}")
    return isinstance(told, dict) and told.get("state") != "INVALID"


async def _trunk(ari: Ari, name: str) -> str:
    try:
        told = await ari.ask("GET", "endpoints", "PJSIP", name)
    except CarrierRefused as refusal:
        if refusal.code != _GONE:
            raise
        raise Unusable(
            f"Asterisk has no endpoint PJSIP/{name}: name yours in WARMLINE_ASTERISK_TRUNK, or "
            "take over the pjsip.conf of `warmline carrier asterisk render`."
        ) from None
    return str(told.get("state")) if isinstance(told, dict) else ""
