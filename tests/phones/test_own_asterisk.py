"""An operator's own Asterisk, with a trunk and a dialplan of its own: what it takes over of ours is
one ARI user and one line of dialplan."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.carriers import CallIn, LegAnswered, LegEnded, ReleaseSide
from tests.dialer.carriers.joined import talk
from tests.dialer.carriers.rig import Behaviour
from tests.phones.engine import start
from tests.phones.required import require
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import ready

TRUNK = "provider-of-theirs"
DIALPLAN = """[general]
static = yes

[from-provider]
exten => _X.,1,NoOp(their own way)
 same => n,Goto(warmline-in,${EXTEN},1)

"""
OUR_LINE = "#include warmline-extensions.conf\n"


def theirs(directory: Path) -> None:
    """Their names for everything, their dialplan, and our one line at its end."""
    pjsip = directory / "pjsip.conf"
    text = pjsip.read_text()
    for ours, own in (
        ("warmline-trunk", TRUNK),
        ("warmline-endpoint", "any-of-theirs"),
        ("warmline-transport", "transport-of-theirs"),
        ("context = warmline-in", "context = from-provider"),
    ):
        assert ours in text
        text = text.replace(ours, own)
    pjsip.write_text(text)
    (directory / "extensions.conf").write_text(DIALPLAN + OUR_LINE)
    user = (directory / "warmline-ari.conf").read_text()
    (directory / "ari.conf").write_text(f"[general]\nenabled = yes\n\n{user}")


@pytest.fixture
async def rig() -> AsyncIterator[AsteriskRig]:
    require()
    engine = start("own", mend=theirs)
    try:
        await ready(engine)
        rig = AsteriskRig(engine, TRUNK)
        await rig.town.open(engine.phones_port)
        await rig.carrier.open(rig.receive)
        yield rig
        await rig.clear()
        await rig.carrier.close()
        await rig.town.close()
    finally:
        engine.stop()


async def test_it_rings_over_its_own_trunk_and_keeps_how_a_leg_ended(rig: AsteriskRig) -> None:
    call = await talk(rig)
    assert await rig.comes_to_hear(call.caller, call.counselor)
    await rig.settle()
    await rig.carrier.close()
    await rig.put_down(call.counselor)

    await rig.carrier.open(rig.receive)

    ended = await rig.news(LegEnded, call.counselor_leg)
    assert (ended.by, ended.q850) == (ReleaseSide.PARTY, 16)


async def test_it_gives_us_the_calls_that_its_dialplan_sends_to_us(rig: AsteriskRig) -> None:
    phone = await rig.phone(Behaviour.BY_HAND)

    await rig.dial_in(phone)

    call_in = await rig.news(CallIn)
    assert (call_in.caller, call_in.dialled) == (phone, rig.service_number)
    await rig.carrier.answer(call_in.leg)
    await rig.news(LegAnswered, call_in.leg)
