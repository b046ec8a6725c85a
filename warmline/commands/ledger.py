"""`warmline ledger`: whether the books are what they were."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable

if TYPE_CHECKING:
    from warmline.ledger.verifying import ExpectedSeal, Findings

ledger_app = typer.Typer(
    help="The ledger of vouchers, talk seconds and quotas.", no_args_is_help=True
)

_DIGEST = re.compile(r"[0-9a-fA-F]{8,64}")


@ledger_app.command("verify")
def ledger_verify(
    context: typer.Context,
    tenant: Annotated[
        str | None, typer.Option(help="This organisation alone; else all of them.")
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(help="A seal noted earlier, as 12:9f3c0a..; it has to be there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read every book, row and seal; exit status 1 if anything is not what it was."""
    from terms.ids import TenantId
    from warmline.ledger.verifying import SealsAsked, verify

    settings = settings_of(context)
    one = None if tenant is None else TenantId(tenant)
    expected = {} if expect is None else {one or settings.tenant: _expected(expect)}
    found = with_database(
        settings,
        lambda connection: verify(connection, settings.seal(), one, SealsAsked(expected=expected)),
    )
    faults = sum(one.fault_count for one in found)
    data = {"tenants": [_data(one) for one in found], "faults": faults}
    verdict = f"{faults} faults." if faults else "Everything is what it was."
    say(data, as_json, *(line for one in found for line in _lines(one)), verdict)
    if faults:
        raise typer.Exit(1)


def _expected(noted: str) -> "ExpectedSeal":
    """A seal as this command or the log told it. Raises Unusable."""
    from warmline.ledger.verifying import ExpectedSeal

    number, _, digest = noted.partition(":")
    if not number.isdecimal() or not _DIGEST.fullmatch(digest):
        raise Unusable(
            f"{noted} is no seal: write its number, a colon and at least 8 digits of its digest."
        )
    return ExpectedSeal(int(number), digest.lower())


def _data(found: "Findings") -> dict[str, Any]:
    newest = found.last_seal
    return {
        "tenant": found.tenant,
        "books": found.books,
        "entries": found.entries,
        "seals": found.seals,
        "unsealed_entries": found.unsealed,
        "overdue_entries": found.overdue,
        "last_seal": None
        if newest is None
        else {
            "number": newest.number,
            "sealed_at": newest.sealed_at.isoformat(),
            "digest": newest.digest.hex(),
        },
        "fault_count": found.fault_count,
        "faults": [
            {"book": one.book, "number": one.number, "what": one.what} for one in found.faults
        ],
    }


def _lines(found: "Findings") -> list[str]:
    newest = found.last_seal
    sealed = "never sealed" if newest is None else f"seal {newest.number}:{newest.digest.hex()}"
    unnamed = found.fault_count - len(found.faults)
    return [
        f"{found.tenant}: {found.books} books, {found.entries} entries, "
        f"{found.unsealed} not sealed yet; {sealed}",
        *(
            f"  {one.book}{'' if one.number is None else f' entry {one.number}'}: {one.what}"
            for one in found.faults
        ),
        *([f"  ... and {unnamed} more"] if unnamed else []),
    ]
