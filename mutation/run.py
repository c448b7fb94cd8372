"""Runs tests against mutants, each in a process of its own that is forked when all is imported."""

from __future__ import annotations

import ast
import gc
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from mutation.live import (
    Functions,
    caches,
    change_functions,
    compiled,
    functions_by_file,
    import_changed,
)
from mutation.places import PRODUCT, ROOT, TESTS
from mutation.sites import Mutant, mutants
from mutation.traces import Traces, arguments, test_files

BUDGET = 6.0
"""Seconds of processor time, while traced, that the tests of one mutant take."""

IMPORTS = 3
"""Test files that are imported anew for a mutant that acts at import."""

KILLED, SURVIVED, BROKEN = 0, 1, 3
SPARE = 3.0
"""Seconds beyond half as long again, after which a mutant counts as one that never ends."""


@dataclass(frozen=True)
class Outcome:
    """``died`` of ``how``: ``test`` or ``time``; ``tests``: how many were to notice it."""

    mutant: Mutant
    died: bool
    how: str
    tests: int


Tell = Callable[[Outcome], None]


@dataclass(frozen=True)
class Module:
    """A module's tree, and those of its mutants that are to be tried."""

    path: str
    tree: ast.Module
    mutants: list[Mutant]


Act = Callable[[Mutant, ast.Module, list[str]], int]
"""Makes the change and runs the tests, in a process of its own; → ``KILLED`` or ``SURVIVED``."""


def _distance(test: str, path: str) -> int:
    """The tests of its own module come first, then those of its layer."""
    file = test.split("::")[0]
    if file in TESTS.of_all or Path(path).stem in file:
        return 0
    layer = path.removeprefix("quorumshift/").split("/")[0]
    return 1 if file.startswith(f"tests/{layer}/") else 2


class Choice:
    """Which tests are run against a mutant, and in which order."""

    def __init__(self, traces: Traces) -> None:
        self.traces = traces
        self.sources = {
            str(file.relative_to(ROOT)): file.read_text().splitlines()
            for name in PRODUCT
            for file in (ROOT / name).rglob("*.py")
        }

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that run the statement, or, if it acts at import, what its module or its names
        are used by; the tests of the module first, then the quick ones, within the budget."""
        if mutant.at_import:
            found = {
                test for line in self.traces.lines.get(mutant.path, {}).values() for test in line
            }
            found |= self._users(mutant.names)
            found |= {test for test in self.traces.seconds if test.split("::")[0] in TESTS.of_all}
        else:
            found = self.traces.of(mutant.path, *mutant.lines)
        ordered = sorted(
            found,
            key=lambda test: (_distance(test, mutant.path), self.traces.seconds[test], test),
        )
        chosen: list[str] = []
        spent = 0.0
        files: set[str] = set()
        for test in ordered:
            file = test.split("::")[0]
            if mutant.at_import and len(files) == IMPORTS and file not in files:
                continue
            files.add(file)
            spent += self.traces.seconds[test]
            if chosen and spent > BUDGET:
                break
            chosen.append(test)
        return chosen

    def _users(self, names: tuple[str, ...]) -> set[str]:
        if not names:
            return set()
        word = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")
        return {
            test
            for path, text in self.sources.items()
            for line, tests in self.traces.lines.get(path, {}).items()
            if 0 < line <= len(text) and word.search(text[line - 1])
            for test in tests
        }


def run(
    files: Iterable[str],
    wanted: Callable[[Mutant], bool],
    choice: Choice,
    jobs: int,
    tell: Tell,
) -> None:
    """Tries every mutant of the files that is wanted, and tells what became of it."""
    modules = []
    for path in files:
        tree, found = mutants(path, (ROOT / path).read_text())
        modules.append(Module(path, tree, [mutant for mutant in found if wanted(mutant)]))
    inside = [_only(module, at_import=False) for module in modules]
    _in_one_session([module for module in inside if module.mutants], choice, jobs, tell)
    for module in modules:
        _try_all(_only(module, at_import=True), choice, jobs, tell, _imported)


def _only(module: Module, *, at_import: bool) -> Module:
    found = [mutant for mutant in module.mutants if mutant.at_import is at_import]
    return replace(module, mutants=found)


def _try_all(module: Module, choice: Choice, jobs: int, tell: Tell, act: Act) -> None:
    running: dict[int, tuple[Mutant, int]] = {}
    for mutant in module.mutants:
        tests = choice.tests(mutant)
        if not tests:
            tell(Outcome(mutant, False, "no test runs it", 0))
            continue
        while len(running) >= jobs:
            _reap(running, tell)
        seconds = sum(choice.traces.seconds[test] for test in tests)
        child = _forked(partial(act, mutant, module.tree, tests), seconds)
        running[child] = (mutant, len(tests))
    while running:
        _reap(running, tell)


def _forked(act: Callable[[], int], seconds: float) -> int:
    """→ the id of the process that does it, within a limit of time and memory."""
    child = os.fork()
    if child:
        return child
    code = BROKEN
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        limit = int(SPARE + 1.5 * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        signal.alarm(6 * limit)  # what waits for ever takes no processor time
        code = act()
    finally:
        os._exit(code)


def _reap(running: dict[int, tuple[Mutant, int]], tell: Tell) -> None:
    while True:
        for child, (mutant, tests) in running.items():
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                code = os.waitstatus_to_exitcode(status)
                if code == BROKEN:
                    raise RuntimeError(f"{mutant.path}: could not be tried: {mutant.id}")
                how = "test" if code == KILLED else "time" if code < 0 else ""
                tell(Outcome(mutant, code != SURVIVED, how, tests))
                return
        time.sleep(0.002)


def _in_one_session(modules: list[Module], choice: Choice, jobs: int, tell: Tell) -> None:
    """Collects every test once, and forks from there. In a child, so that nothing of the product
    is imported here."""
    if not modules:
        return
    found = [mutant for module in modules for mutant in module.mutants]
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            session = _Session(modules, choice, jobs, writes)
            code = int(pytest.main([*arguments(test_files()), "-o", "addopts="], plugins=[session]))
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(writes)
    with os.fdopen(reads) as told:
        for line in told:
            number, died, how, tests = line.rstrip("\n").split("\t")
            tell(Outcome(found[int(number)], died == "1", how, int(tests)))
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("The tests could not be run against mutants; see above.")


class _Session:
    """pytest's own loop, replaced by one that forks for each mutant."""

    def __init__(self, modules: list[Module], choice: Choice, jobs: int, writes: int) -> None:
        self.modules, self.choice, self.jobs, self.writes = modules, choice, jobs, writes
        self.functions: dict[str, Functions] = {}
        self.items: dict[str, pytest.Item] = {}
        self.caches = caches()
        self.failed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.functions, self.caches = functions_by_file(ROOT), caches()
        gc.freeze()  # a collection in a child would copy all that it only looks at
        numbers = {
            id(mutant): number
            for number, mutant in enumerate(m for module in self.modules for m in module.mutants)
        }

        def tell(outcome: Outcome) -> None:
            row = (numbers[id(outcome.mutant)], int(outcome.died), outcome.how, outcome.tests)
            os.write(self.writes, ("\t".join(map(str, row)) + "\n").encode())

        for module in self.modules:
            self._pass_without_a_change(module)
            _try_all(module, self.choice, self.jobs, tell, self._act)
        return True

    def _pass_without_a_change(self, module: Module) -> None:
        """Or every mutant would seem to be killed."""
        tests = self.choice.tests(module.mutants[0])
        child = _forked(partial(self._run, tests), BUDGET)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != SURVIVED:
            raise pytest.UsageError(f"{module.path}: its tests fail without a change ({code})")

    def _act(self, mutant: Mutant, tree: ast.Module, tests: list[str]) -> int:
        file = str(ROOT / mutant.path)
        code = compiled(tree, mutant, file)
        change_functions(code, self.functions.get(file, {}))
        import_changed(code, file)
        for cache in self.caches:
            cache.cache_clear()
        return self._run(tests)

    def _run(self, tests: list[str]) -> int:
        chosen = [self.items[test] for test in tests]
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return KILLED
        return SURVIVED

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


class _Chosen:
    """Only the tests that were chosen; by function, because a change may rename their cases."""

    def __init__(self, tests: list[str]) -> None:
        self.functions = {test.split("[")[0] for test in tests}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid.split("[")[0] in self.functions]


def _imported(mutant: Mutant, tree: ast.Module, tests: list[str]) -> int:
    file = str(ROOT / mutant.path)
    import_changed(compiled(tree, mutant, file), file)
    files = [ROOT / name for name in dict.fromkeys(test.split("::")[0] for test in tests)]
    code = pytest.main([*arguments(files), "-x", "-o", "addopts="], plugins=[_Chosen(tests)])
    return SURVIVED if code in (0, 5) else KILLED


def prepare() -> None:
    """Imports what is not mutated, once for every child, and makes generated tests repeatable."""
    import boto3
    import botocore.session
    from hypothesis import HealthCheck, Phase, settings

    del boto3, botocore
    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),  # a failure is enough, its smallest case is not
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


def of_files(only: list[str]) -> Iterator[str]:
    """The modules to mutate: all, or those that ``only`` names or holds."""
    from mutation.places import MUTATED

    for place in MUTATED:
        for file in sorted((ROOT / place).rglob("*.py")):
            path = str(file.relative_to(ROOT))
            if not only or any(
                path == each or path.startswith(each.rstrip("/") + "/") for each in only
            ):
                yield path
