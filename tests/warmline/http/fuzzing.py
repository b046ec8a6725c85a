"""schemathesis against a running server, as anybody would run it from a shell."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# A rule may refuse what is well-formed: 422 with a code says so, and is documented.
_CONFIGURATION = """
[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", "401", "403", "404", "409", "422", "426", "429"
]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx"]
"""


async def faults_found(
    address: str,
    folder: Path,
    *,
    token: str | None,
    examples: int,
    seed: int = 1,
    ids: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> str:
    """The report of a run that found something, empty when it found nothing.

    `ids` stand in the paths, so that what is sent reaches something that is there.
    """
    configuration = folder / "schemathesis.toml"
    given = "".join(f'"path.{name}" = "{id_}"\n' for name, id_ in (ids or {}).items())
    configuration.write_text(f"[parameters]\n{given}{_CONFIGURATION}")
    header = [] if token is None else ["--header", f"Authorization: Bearer {token}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={configuration}",
        "run",
        f"{address}/v1/openapi.json",
        f"--max-examples={examples}",
        f"--seed={seed}",
        "--generation-database=none",
        "--no-color",
        *options,
        *header,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return "" if process.returncode == 0 else output.decode()
