"""Offers that were not taken, as they stand beside their counselor."""

import json
from collections.abc import Sequence
from datetime import datetime

from routing.counselor import Untaken, UntakenOffer
from terms.ids import CallId

_NONE = "[]"


def write_untaken(offers: Sequence[UntakenOffer]) -> str:
    """As JSON. Nearly always there are none."""
    if not offers:
        return _NONE
    return json.dumps(
        [{"call": one.call, "at": one.at.isoformat(), "why": one.why} for one in offers]
    )


def read_untaken(body: str) -> tuple[UntakenOffer, ...]:
    """What `write_untaken` wrote."""
    if body == _NONE:
        return ()
    return tuple(
        UntakenOffer(CallId(one["call"]), datetime.fromisoformat(one["at"]), Untaken(one["why"]))
        for one in json.loads(body)
    )
