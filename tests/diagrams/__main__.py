"""Write the state diagrams of `docs/` anew."""

from tests.diagrams.pages import PAGES
from tests.diagrams.walk import page

for path, diagram in PAGES.items():
    path.write_text(page(diagram()), encoding="utf-8")
    print(path.name)
