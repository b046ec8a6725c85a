"""Programs whose talks are short, so that whole calls fit between kills.

What waits for a person or for the carrier is long, so that a slow machine alone changes nothing.
"""

from pathlib import Path

from terms.ids import ProgramId

TALK = ProgramId("chaos-talk")
SHORT = ProgramId("chaos-short")
POOL = ProgramId("chaos-pool")

ATTEMPTS = 3
ORDER_SECONDS = 86400

_SHEET = """
[program]
id = "{id}"
version = "1"
sponsor = "default"
name_zh = "测试"
name_en = "Test"
disclaimer_zh = "测试"
disclaimer_en = "A test."
charge_notice_zh = "测试"
charge_notice_en = "A test."
topics = ["other"]
dispositions = ["relieved"]

[routing]
hours = "24h"
zone = "Asia/Shanghai"
matching = "{matching}"
role = "counselor"
service_numbers = ["{service}"]
credential_required = true
wrap_up_seconds = 1
misses_before_away = 100
declines_before_away = 100

[dialer]
ring_first = "{first}"
ring_seconds = 30
press_to_accept = true
accept_seconds = 30
cap_kind = "hard"
cap_seconds = {cap}
cap_grace_seconds = 0
warn_seconds = [6, 3]
attempts = {attempts}
attempt_spacing_seconds = [2, 3]
on_exhausted = "keep"
fault_tries = 20
fault_spacing_seconds = 2
parted_grace_seconds = 90
rering_seconds = 2
media_lost_seconds = 5
bridge_seconds = 30
transfer_ring_seconds = 30
verdict_final_minutes = 5
shows = "{service}"

[billing]
voucher = "required"
consumes_on = "connect"
order_seconds = {order}
resume_seconds = {order}
resume_min_seconds = 5
claim_seconds = {order}
short_call_seconds = 0
counselor_locked = {locked}
early_hang_up_review = false
"""

_NAMED = {"matching": "named", "first": "caller", "locked": "true"}
_SHEETS: tuple[dict[str, object], ...] = (
    {"id": TALK, "cap": 600, **_NAMED},
    {"id": SHORT, "cap": 8, **_NAMED},
    {"id": POOL, "cap": 600, "matching": "pool", "first": "counselor", "locked": "false"},
)


def write_programs(folder: Path) -> Path:
    """Put the programs where `WARMLINE_PROGRAMS` may point."""
    folder.mkdir(exist_ok=True)
    common = {"attempts": ATTEMPTS, "order": ORDER_SECONDS}
    for number, sheet in enumerate(_SHEETS):
        text = _SHEET.format(**common, **sheet, service=f"+86210000007{number}")
        (folder / f"{sheet['id']}.toml").write_text(text, encoding="utf-8")
    return folder
