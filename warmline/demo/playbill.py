"""What the demo tells: a short table for people, `demo.json` for programs."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from routing.counselor import Presence
from terms.ids import ProgramId
from warmline.demo import cast
from warmline.demo.opening import Opening
from warmline.demo.stage import Staged
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.settings import Settings

FILE_NAME = "demo.json"
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_COLUMN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbill:
    """Everything worth telling."""

    url: str
    staged: Staged
    opening: Opening
    programs: Mapping[ProgramId, Program]

    def as_json(self) -> dict[str, object]:
        """The shape that the contract fixes."""
        return {
            "url": self.url,
            "api_key": self.staged.api_key,
            "staff": [self._login(login) for login in cast.LOGINS],
            "vouchers": {program: list(codes) for program, codes in self.staged.vouchers.items()},
            "counselors": [
                {
                    "id": role.id,
                    "name": role.name,
                    "number": role.number.digits,
                    "program": role.program,
                }
                for role in cast.COUNSELORS
            ],
            "service_numbers": self.service_numbers(),
            "callers": [number.digits for number in cast.CALLERS],
        }

    def service_numbers(self) -> dict[str, str]:
        """The number to dial for each service that has one."""
        return {
            program.id: program.routing.service_numbers[0].number.digits
            for program in self.programs.values()
            if program.routing.service_numbers
        }

    def _login(self, login: cast.Login) -> dict[str, object]:
        bound = {} if login.counselor is None else {"counselor": login.counselor}
        secret = self.staged.totp_secrets.get(login.email)
        second = {} if secret is None else {"totp_secret": secret}
        return {
            "email": login.email,
            "password": self.staged.passwords[login.email],
            "roles": sorted(login.roles),
            **bound,
            **second,
        }


def write_down(playbill: Playbill, settings: "Settings") -> Path:
    """Leave the file in the data directory, for its owner alone; whole or not at all."""
    file = settings.prepare_data_dir() / FILE_NAME
    draft = file.with_name(f"{FILE_NAME}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(draft, "w", encoding="utf-8", opener=_only_for_us) as written:
        json.dump(playbill.as_json(), written, ensure_ascii=False, indent=2)
    draft.replace(file)
    return file


def show(playbill: Playbill, settings: "Settings") -> str:
    """The table for the terminal."""
    return "\n".join(("", *_lines(playbill, settings), ""))


def _lines(playbill: Playbill, settings: "Settings") -> Iterator[str]:
    yield "  Warmline · 暖线        a demonstration: the phones are simulated, no real one rings"
    yield ""
    yield _row("page", f"{playbill.url}/")
    yield _row("API", f"{playbill.url}/docs")
    yield _row("key", playbill.staged.api_key)
    yield ""
    for login in cast.LOGINS:
        roles = ", ".join(sorted(login.roles))
        yield _row("login", f"{login.email}  {playbill.staged.passwords[login.email]}  {roles}")
        if (secret := playbill.staged.totp_secrets.get(login.email)) is not None:
            yield _row("", f"and the codes of an authenticator that is given {secret}")
    yield ""
    for program, codes in playbill.staged.vouchers.items():
        for place, code in enumerate(codes):
            yield _row("vouchers" if place == 0 else "", f"{code}  {program if place == 0 else ''}")
    yield ""
    yield from _phones(playbill)
    yield ""
    yield _row("clock", _clock(playbill))
    yield _row("in a file", str(settings.data_dir / FILE_NAME))
    yield _row("stop", "Ctrl-C")


def _phones(playbill: Playbill) -> Iterator[str]:
    ready, program = cast.READY_ORDER
    for place, number in enumerate(cast.CALLERS):
        note = f"an order for {program} is open" if number == ready else "by hand"
        yield _row("callers" if place == 0 else "", f"{number.digits}  {note}")
    for place, role in enumerate(cast.COUNSELORS):
        label = "counselors" if place == 0 else ""
        yield _row(label, f"{role.number.digits}  {role.program:<15}  {role.name}  {_does(role)}")
    for place, agency in enumerate(cast.AGENCIES):
        yield _row("agencies" if place == 0 else "", agency.name)
    for place, (program_id, number_) in enumerate(playbill.service_numbers().items()):
        yield _row("to dial in" if place == 0 else "", f"{number_}  {program_id}")


def _does(role: cast.Role) -> str:
    if role.presence is not Presence.AVAILABLE:
        return "on break" if role.presence is Presence.BREAK else "offline"
    if role.answers_after_seconds is None:
        return "answers by hand"
    return f"answers after {role.answers_after_seconds:.0f} s and presses 1"


def _clock(playbill: Playbill) -> str:
    opening = playbill.opening
    shown = opening.now.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M in Shanghai")
    if opening.moved_for is not None:
        return f"{shown}: moved ahead, because {opening.moved_for.id} was closed"
    if opening.ahead:
        return f"{shown}: {_span(opening.ahead)} ahead of this machine, as it was left"
    return shown


def _span(ahead: timedelta) -> str:
    hours, minutes = divmod(round(ahead.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _row(label: str, text: str) -> str:
    return f"  {label:<{_COLUMN}}{text}".rstrip()


def _only_for_us(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
