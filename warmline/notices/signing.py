"""Standard Webhooks, both ways: what leaves is signed, and what comes in is checked."""

from collections.abc import Mapping
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

ID_HEADER = "webhook-id"


class Signing:
    """A secret that both sides share, or several while it is being changed.

    All of them sign, and any of them counts: neither side has to change at the same moment.
    """

    def __init__(self, *secrets: str) -> None:
        """Raises ValueError for a secret that is not base64, with or without whsec_ in front."""
        try:
            self._webhooks = tuple(Webhook(secret) for secret in secrets)
        except Exception:  # the library tells a bad secret in several ways
            raise ValueError("a secret is not base64") from None

    @classmethod
    def read(cls, setting: str) -> "Signing":
        """Secrets as a setting holds them, separated by commas. Raises ValueError."""
        return cls(*(secret.strip() for secret in setting.split(",")))

    def headers(self, id_: str, at: datetime, body: str) -> dict[str, str]:
        """What goes with `body`. `at` is in UTC: when this try is made."""
        return {
            "content-type": "application/json",
            ID_HEADER: id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(one.sign(id_, at, body) for one in self._webhooks),
        }

    def holds(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether one of the secrets signed these bytes within five minutes of now.

        Now is the machine's: the sender knows of no simulated clock. Without secrets none holds.
        """
        return any(_holds(one, headers, raw) for one in self._webhooks)


def _holds(webhook: Webhook, headers: Mapping[str, str], raw: bytes) -> bool:
    try:
        webhook.verify(raw, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: no base64, no UTF-8, no v1,..
        return False
    return True
