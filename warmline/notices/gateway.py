"""SMS by the operator's own gateway: one signed POST each (`WARMLINE_SMS=http`)."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from warmline.http.address import is_loopback
from warmline.notices.posting import SignedPoster
from warmline.notices.senders import Sms
from warmline.notices.signing import Signing
from warmline.settings import Settings, SettingsInvalid

_MAY_PASS = frozenset({408, 429})
_LEAST_SECRET_CHARACTERS = 32  # 24 bytes in base64, the least that Standard Webhooks knows

_SET_BOTH = (
    "WARMLINE_SMS_URL and WARMLINE_SMS_SECRET belong together and to WARMLINE_SMS=http: set "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAccess:
    """Where the gateway is, and what both sides sign with."""

    url: str
    signing: Signing


def gateway_of(settings: Settings) -> GatewayAccess | None:
    """The gateway that is configured. Raises SettingsInvalid when one is named by halves."""
    url, secret = settings.sms_url, settings.sms_secret
    named = {"WARMLINE_SMS_URL": url, "WARMLINE_SMS_SECRET": secret}
    missing = [name for name, value in named.items() if value is None]
    if len(missing) == len(named) and settings.sms != "http":
        return None
    if url is None or secret is None:
        raise SettingsInvalid(f"{_SET_BOTH}{' and '.join(missing)}.")
    _check_url(url)
    return GatewayAccess(url=url, signing=_signing(secret.get_secret_value()))


def _check_url(url: str) -> None:
    """An SMS holds a number and often a code: it leaves this machine under TLS or not at all."""
    if not _is_guarded(url):
        raise SettingsInvalid(
            "WARMLINE_SMS_URL cannot be used: it must begin with https://, unless it names this "
            "machine (http://127.0.0.1..)."
        )


def _is_guarded(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return host is not None and (parts.scheme == "https" or is_loopback(host))


def _signing(setting: str) -> Signing:
    secrets = [secret.strip() for secret in setting.split(",")]
    try:
        if any(len(one.removeprefix("whsec_")) < _LEAST_SECRET_CHARACTERS for one in secrets):
            raise ValueError("too short")
        return Signing(*secrets)
    except ValueError:
        raise SettingsInvalid(
            "WARMLINE_SMS_SECRET cannot be used: it must be the secret that Warmline and the "
            "gateway share, 24 random bytes or more in base64, with or without whsec_ in front; "
            "while it is changed, the new one and the old one, separated by a comma."
        ) from None


class HttpSender:
    """Hands each SMS to the gateway. Nothing of its body is logged or kept."""

    def __init__(self, access: GatewayAccess) -> None:
        self._poster = SignedPoster(access.url, access.signing)

    async def send_sms(self, sms: Sms) -> None:
        """2xx is sent; 4xx final, but for 408 and 429; everything else a try that failed."""
        answered = await self._poster.post(sms.id, body_of(sms))
        if not answered.accepted:
            final = 400 <= answered.status < 500 and answered.status not in _MAY_PASS
            raise answered.not_sent(final=final)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def body_of(sms: Sms) -> str:
    """The JSON that is sent. The number is in it whole: the gateway has to dial it."""
    told = {
        "id": sms.id,
        "tenant": sms.tenant,
        "to": sms.to.digits,
        "template": sms.template,
        "language": sms.language,
        "text": sms.text,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
