"""schemathesis on the whole document, against a running service, as each kind of principal.

No answer but those that are published, by status, content type and schema, and no mistake of ours
that something odd brings to light. WARMLINE_FUZZ_EXAMPLES=100 looks longer.
"""

import os
from pathlib import Path

import pytest

from tests.serving import Service
from tests.warmline.api.everybody import everybody
from tests.warmline.api.test_bad_input import admits
from tests.warmline.http.fuzzing import faults_found
from warmline.serve import OPERATIONS

EXAMPLES = int(os.environ.get("WARMLINE_FUZZ_EXAMPLES", "3"))


@pytest.mark.parametrize(
    "who", ["anyone", "caller", "app", "counselor", "support", "steward", "supervisor", "insurer"]
)
async def test_whatever_is_sent_is_answered_as_published(
    service: Service, tmp_path: Path, who: str
) -> None:
    all_ = await everybody(service)

    found = await faults_found(
        service.house.url,
        tmp_path,
        token=all_.tokens.get(who),
        examples=EXAMPLES,
        ids=all_.ids,
        options=("--phases=examples,coverage,fuzzing", *_worth_trying(who)),
    )

    assert found == ""


def _worth_trying(who: str) -> list[str]:
    """Anybody tries everything; the others what is open to them: before the rest stands a 403."""
    return [
        f"--include-operation-id={operation.name}"
        for operation in OPERATIONS
        # To sign out would end the token, and with it the rest of the run.
        if who == "anyone" or (admits(operation, who) and operation.name != "sign_out")
        if who == "anyone" or operation.who or operation.upgrades
    ]
