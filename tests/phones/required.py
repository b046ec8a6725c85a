"""What the phones need and may not find: in CI that is a failure, elsewhere a loud skip."""

import os
import shutil

import pytest

from warmline.bench.phones.engine import why_not

PACKAGES = {
    "baresip": "baresip-core",
    "sipp": "sip-tester",
    "openssl": "openssl",
    "espeak-ng": "espeak-ng",
}


def missing(*programs: str) -> str | None:
    """Why phones cannot be tested with these programs; None if they can."""
    if (why := why_not()) is not None:
        return why
    for program in programs:
        if shutil.which(program) is None:
            return f"{program} is not installed: apt-get install {PACKAGES[program]}"
    return None


def require(*programs: str) -> None:
    """Skip the test that asks, or fail it in CI."""
    why = missing(*programs)
    if why is None:
        return
    told = f"REAL PHONES NOT TESTED: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)
