"""What a function imports, read from small checkouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.imports import Closure, closure

WIRING = """
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorumshift.kinds import Kind

def wiring():
    return Wiring(settings)

class Wiring:
    @functools.cached_property
    def near(self):
        from quorumshift.near import Near
        return Near(self.settings.far)

    @property
    def over(self):
        return self.near

    def far(self):
        import elsewhere.deep
        from quorumshift import far
"""


def of(folder: Path, handler: str) -> Closure:
    files = {
        "tasks/__init__.py": "",
        "tasks/wiring.py": WIRING,
        "tasks/handler.py": handler,
        "quorumshift/__init__.py": "",
        "quorumshift/near.py": "import json, quorumshift.common\n",
        "quorumshift/far.py": "",
        "quorumshift/kinds.py": "",
        "quorumshift/common.py": "def late():\n    import grpclib.client\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return closure(folder, "tasks.handler")


def names(found: Closure) -> set[str]:
    return {file.stem for file in found.files} - {"__init__", "handler", "wiring"}


def test_a_part_of_the_wiring_counts_when_the_handler_can_reach_it(tmp_path: Path) -> None:
    found = of(tmp_path, "from tasks.wiring import wiring\nwiring().over.look()\n")
    assert names(found) == {"near", "common"}
    assert found.libraries == {"grpclib"}
    assert found.parts == {"wiring", "over", "near"}


def test_a_handler_that_asks_for_settings_alone_reaches_no_part(tmp_path: Path) -> None:
    found = of(tmp_path, "from tasks.wiring import wiring\nwiring().settings.far\n")
    assert (names(found), found.libraries) == (set(), frozenset())


def test_a_name_in_a_nested_function_is_enough(tmp_path: Path) -> None:
    found = of(tmp_path, "from tasks.wiring import wiring\nf = lambda w: w.far\n")
    assert names(found) == {"far"}
    assert found.libraries == {"elsewhere"}


def test_what_only_type_checkers_import_does_not_count(tmp_path: Path) -> None:
    assert "kinds" not in names(of(tmp_path, "from tasks.wiring import wiring\nx.near\n"))


def test_imports_in_short_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in full"):
        of(tmp_path, "from . import wiring\n")
