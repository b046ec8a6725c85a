"""`warmline ledger`: whether the books are what they were."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database

if TYPE_CHECKING:
    from warmline.ledger.verifying import Findings

ledger_app = typer.Typer(
    help="The ledger of vouchers, talk seconds and quotas.", no_args_is_help=True
)


@ledger_app.command("verify")
def ledger_verify(
    context: typer.Context,
    tenant: Annotated[
        str | None, typer.Option(help="This organisation alone; else all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read every book, row and seal; exit status 1 if anything is not what it was."""
    from terms.ids import TenantId
    from warmline.ledger.verifying import verify

    settings = settings_of(context)
    found = with_database(
        settings,
        lambda connection: verify(
            connection, settings.seal(), None if tenant is None else TenantId(tenant)
        ),
    )
    faults = sum(one.fault_count for one in found)
    data = {"tenants": [_data(one) for one in found], "faults": faults}
    verdict = f"{faults} faults." if faults else "Everything is what it was."
    say(data, as_json, *(line for one in found for line in _lines(one)), verdict)
    if faults:
        raise typer.Exit(1)


def _data(found: "Findings") -> dict[str, Any]:
    newest = found.last_seal
    return {
        "tenant": found.tenant,
        "books": found.books,
        "entries": found.entries,
        "seals": found.seals,
        "unsealed_entries": found.unsealed,
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
    sealed = "never sealed" if newest is None else f"seal {newest.number} {newest.digest.hex()}"
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
