"""A hotline beside the shipped programs, and people who dial it."""

from datetime import date

from terms.ids import CounselorId, OrderId, ProgramId
from tests.house import House
from tests.people import COUNSELOR, LISTENING
from warmline.programs import load_shipped

HOTLINE = ProgramId("hotline")
NAMES_THE_LINE = "greeting_hotline"
OLD_NUMBER, SHORT_NUMBER = "+862112320075", "12356"
SECOND_CALLER, THIRD_CALLER = "+8613800000002", "+8613800000003"
_OF_INSURERS = ("products", "waiting_", "vouchers_per_policy_year", "send_")
"""Keys of a program that people have through an insurance policy: a hotline is for everybody."""


def hotline() -> str:
    """A line with two numbers, open round the clock, without a cap, for trained counselors."""
    body = load_shipped()[LISTENING].body
    for old, new in (
        ('id = "psych-listening"', f'id = "{HOTLINE}"'),
        ('hours = "10:00-22:00"', 'hours = "24h"'),
        ('matching = "named"', 'matching = "pool"\ntraining_required = true'),
        (
            'service_numbers = ["+862100000025"]',
            f'service_numbers = ["{SHORT_NUMBER}", "{OLD_NUMBER} until 2030-01-01"]',
        ),
        ('cap_kind = "hard"\ncap_seconds = 1500', 'cap_kind = "none"'),
        ("warn_seconds = [120, 30]", "warn_seconds = []"),
        ('voucher = "required"', 'voucher = "none"'),
        ("[dialer]", '[dialer]\ngreeting_zh = "您好，心声热线。"\ngreeting_en = "The heartline."'),
        ("counselor_locked = true", "counselor_locked = false"),
    ):
        assert old in body, old
        body = body.replace(old, new)
    return "\n".join(line for line in body.splitlines() if not line.startswith(_OF_INSURERS))


async def train(house: House, counselor: CounselorId) -> None:
    """Theory, practice and assessment are passed."""
    await house.pool.execute(
        """UPDATE counselors SET theory_class_hours = 24, practice_days = 7, theory_passed_on = $2,
               practice_passed_on = $2, assessment_passed_on = $2 WHERE id = $1""",
        *(counselor, date(2029, 12, 1)),
    )


async def trained(house: House, number: str = COUNSELOR) -> CounselorId:
    """A counselor who may take the hotline's calls."""
    counselor = await house.counselor(number, program=HOTLINE, available=True)
    await train(house, counselor)
    return counselor


async def waiting(house: House, number: str, dialled: str) -> OrderId:
    """Somebody with an order who dialled one of the line's numbers."""
    order = await house.order(await house.caller(number), program=HOTLINE)
    house.world.dial(number, dialled, house.clock.now())
    await house.pass_time(1)
    return order
