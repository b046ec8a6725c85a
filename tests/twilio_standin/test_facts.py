"""What the stand-in is built on is written down, and each of it is held to by a test."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_fact_of_the_readme_is_held_to_by_a_test() -> None:
    listed = re.findall(r"^\| (F\d\d) \|", (HERE / "README.md").read_text(), re.MULTILINE)
    cited = {
        fact
        for file in HERE.glob("test_*.py")
        for fact in re.findall(r"\bF\d\d\b", file.read_text())
    }

    assert listed == [f"F{n:02}" for n in range(1, len(listed) + 1)]
    assert cited == set(listed)


def test_nothing_here_knows_the_product() -> None:
    product = {"dialer", "routing", "billing", "terms", "warmline"}
    for file in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & product, file.name
