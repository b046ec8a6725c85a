"""How the machine tells a person that what they asked cannot be done now."""

from typing import NoReturn

from terms.refusals import RefusalCode, Refused


def not_now(why: str) -> NoReturn:
    """Refuse a command that the call's state does not allow; nothing is changed."""
    raise Refused(RefusalCode.NOT_NOW, f"This cannot be done now: {why}.")
