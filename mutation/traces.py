"""Which test runs which line, and how long it takes: measured, and kept for each test file until
that file, what tests share, or a module that they run changes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mutation.places import CACHE, PRODUCT, ROOT, TESTS

KEPT = CACHE / "traces"
SWITCHED_OFF = ("cacheprovider", "xdist", "timeout", "faulthandler", "warnings")
LOG = CACHE / "measured.log"


@dataclass(frozen=True)
class Traces:
    """``seconds``: of processor time by test; ``lines``: by file and line, who runs it."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]

    def of(self, path: str, first: int, last: int) -> set[str]:
        by_line = self.lines.get(path, {})
        return {test for line in range(first, last + 1) for test in by_line.get(line, ())}


def measure() -> Traces:
    """Runs the test files that are not known yet. Raises :class:`SystemExit` when a test fails."""
    KEPT.mkdir(parents=True, exist_ok=True)
    shared = _digest(_shared())
    kept = {file: KEPT / f"{_digest([file], shared)}.json" for file in test_files()}
    missing = [file for file, place in kept.items() if not _holds(place)]
    if missing:
        print(f"measuring what {len(missing)} test files run", flush=True)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _write_to(LOG)
                code = _run(missing, kept)
            finally:
                sys.stdout.flush()
                os._exit(code)
        if os.waitpid(child, 0)[1] != 0:
            raise SystemExit(f"The tests fail without any change, see {LOG}. Mend them first.")
    for old in set(KEPT.iterdir()) - set(kept.values()):
        old.unlink()
    seconds: dict[str, float] = {}
    lines: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for place in kept.values():
        told = json.loads(place.read_text())
        seconds |= told["seconds"]
        for path, by_line in told["lines"].items():
            for line, tests in by_line.items():
                lines[path][int(line)] += tests
    return Traces(seconds, lines)


def _write_to(log: Path) -> None:
    place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(place, 1)
    os.dup2(place, 2)


def _holds(place: Path) -> bool:
    if not place.exists():
        return False
    ran = json.loads(place.read_text())["ran"]
    return all((ROOT / p).exists() and _digest([ROOT / p]) == digest for p, digest in ran.items())


def test_files() -> list[Path]:
    """Those whose tests kill."""
    found = []
    for name in TESTS.taken:
        place = ROOT / name
        found += [place] if place.is_file() else sorted(place.rglob("test_*.py"))
    return [each for each in found if str(each.relative_to(ROOT)) not in TESTS.left_out]


def arguments(files: list[Path]) -> list[str]:
    """What pytest is called with for them."""
    switched_off = [f"-pno:{name}" for name in SWITCHED_OFF]
    return [*switched_off, "-s", "-q", *map(str, files)]


class _Recorder:
    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.process_time() - began
            self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = True
            print(report.nodeid, report.longreprtext, flush=True)


def _run(files: list[Path], kept: dict[Path, Path]) -> int:
    os.environ["COVERAGE_CORE"] = "ctrace"  # the newer one tells no test apart
    from coverage import Coverage

    coverage = Coverage(
        data_file=None, config_file=False, include=[f"{ROOT}/{p}/*" for p in PRODUCT]
    )
    coverage.start()
    recorder = _Recorder(coverage)
    code = pytest.main([*arguments(files), "-o", "addopts="], plugins=[recorder])
    coverage.stop()
    if code != 0 or recorder.failed:
        return 1
    data = coverage.get_data()
    told: dict[str, Any] = {
        str(file.relative_to(ROOT)): {
            "seconds": {},
            "lines": defaultdict(lambda: defaultdict(list)),
        }
        for file in files
    }
    for test, seconds in recorder.seconds.items():
        told[test.split("::")[0]]["seconds"][test] = round(seconds, 4)
    for measured in data.measured_files():
        path = str(Path(measured).relative_to(ROOT))
        for line, tests in data.contexts_by_lineno(measured).items():
            for test in filter(None, tests):
                told[test.split("::")[0]]["lines"][path][line].append(test)
    for file in files:
        of_file = told[str(file.relative_to(ROOT))]
        of_file["ran"] = {path: _digest([ROOT / path]) for path in of_file["lines"]}
        kept[file].write_text(json.dumps(of_file))
    return 0


def _shared() -> list[Path]:
    return sorted(
        each
        for each in (ROOT / "tests").rglob("*")
        if each.is_file() and each.suffix != ".pyc" and not each.name.startswith("test_")
    )


def _digest(files: list[Path], before: str = "") -> str:
    digest = hashlib.sha256(before.encode())
    for each in files:
        digest.update(str(each.relative_to(ROOT)).encode() + each.read_bytes())
    return digest.hexdigest()
