"""The mutants that no test can notice, and why: ``survivors.toml``, which the run compares with."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable

from mutation.places import SURVIVORS
from mutation.run import Outcome


def explained() -> dict[tuple[str, str], str]:
    """Why each is there, by file and mutant."""
    told = tomllib.loads(SURVIVORS.read_text())
    return {
        (path, mutant): entry["why"]
        for path, entries in told.items()
        for entry in entries
        for mutant in entry["mutants"]
    }


def compare(outcomes: Iterable[Outcome], files: Iterable[str], whole: bool) -> list[str]:
    """What the file does not say, or says wrongly, about the files that were run; of entries for
    a file that is no more only a ``whole`` run can tell."""
    known = explained()
    files = set(files)
    alive = {(each.mutant.path, each.mutant.id): each for each in outcomes if not each.died}
    dead = {(each.mutant.path, each.mutant.id) for each in outcomes if each.died}
    wrong = [
        f"{path}: survives and is not explained: {json.dumps(mutant, ensure_ascii=False)}"
        f"{' (no test runs it)' if not outcome.tests else ''}"
        for (path, mutant), outcome in alive.items()
        if (path, mutant) not in known
    ]
    for path, mutant in known:
        if path not in files and not whole:
            continue
        if (path, mutant) in dead:
            wrong.append(f"{path}: is explained, and is killed by now: {mutant}")
        elif (path, mutant) not in alive:
            wrong.append(f"{path}: is explained, and is no longer there: {mutant}")
    return wrong
