"""The example in docs/notices.md is what really goes over the line, and its signatures hold."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

from terms.ids import TenantId
from terms.phone import PhoneNumber
from warmline.api.sms_receipts import SmsReceipt
from warmline.notices.gateway import body_of
from warmline.notices.senders import Sms
from warmline.notices.texts import Language

DOCUMENT = (Path(__file__).parents[3] / "docs" / "notices.md").read_text("utf-8")


def examples() -> list[tuple[str, dict[str, str], str]]:
    """Path, headers and body of every request in the document."""
    found = []
    for block in re.findall(r"```http\n(.*?)\n```", DOCUMENT, re.DOTALL):
        head, _, body = block.partition("\n\n")
        first, *lines = head.splitlines()
        found.append((first.split()[1], dict(line.split(": ", 1) for line in lines), body))
    return found


def test_the_signatures_of_the_example_hold() -> None:
    (secret,) = set(re.findall(r"`(whsec_[A-Za-z0-9+/=]{32,})`", DOCUMENT))

    assert len(examples()) == 2
    for _, headers, body in examples():
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(secret).sign(headers["webhook-id"], at, body)
        assert headers["webhook-signature"] == signature


def test_the_example_has_the_members_that_are_sent_and_taken() -> None:
    (_, sms_headers, posted), (path, _, receipt) = examples()
    shown = json.loads(posted)
    sms = Sms(
        tenant=TenantId(shown["tenant"]),
        id=shown["id"],
        to=PhoneNumber(shown["to"]),
        template=shown["template"],
        language=Language(shown["language"]),
        text=shown["text"],
    )

    assert body_of(sms) == posted
    assert sms_headers["webhook-id"] == sms.id
    assert path == "/v1/sms-receipts"
    assert SmsReceipt.model_validate_json(receipt).id == sms.id
