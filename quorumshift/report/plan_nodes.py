"""Short names for nodes: b1, b2 for blue ones, g1 for green ones, x1 for those without a task."""

from __future__ import annotations

import re
from collections.abc import Collection

from quorumshift.domain.raft import ClusterObservation, Colour

_LETTERS = {Colour.BLUE: "b", Colour.GREEN: "g", Colour.NONE: "x"}
_NO_BREAK = "\N{NO-BREAK SPACE}"


class Nodes:
    """The nodes of one observation, numbered within each colour in the order of addresses."""

    def __init__(self, observation: ClusterObservation) -> None:
        self._names: dict[str, str] = {}
        self.order: list[str] = []
        for colour, letter in _LETTERS.items():
            some = [node.address for node in observation.nodes if node.colour is colour]
            for at, address in enumerate(sorted(some, key=_natural), 1):
                self._names[address] = f"{letter}{at}"
                self.order.append(address)
        self._by_task = {node.task: node.address for node in observation.nodes if node.task}

    def __getitem__(self, address: str) -> str:
        """Its short name."""
        return self._names[address]

    def address(self, task: str) -> str:
        """The address of the node that this task (ARN) belongs to."""
        return self._by_task[task]

    def legend(self) -> str:
        """Each short name and the address that it stands for, kept together when folded."""
        known = [at for at in self.order if self._names[at] != at]
        return ", ".join(f"{self._names[at]} = {at}".replace(" ", _NO_BREAK) for at in known)

    def group(self, addresses: Collection[str], marks: dict[str, str]) -> str:
        """The nodes by short name, each with its marks; three or more alike in a row as a range:
        ``b1*-b5* b6 g1``."""
        chosen = [at for at in self.order if at in addresses]
        runs: list[list[str]] = []
        for at in chosen:
            if runs and self._follows(runs[-1][-1], at, marks):
                runs[-1].append(at)
            else:
                runs.append([at])
        return " ".join(text for run in runs for text in self._run(run, marks))

    def _run(self, run: list[str], marks: dict[str, str]) -> list[str]:
        said = [self._names[at] + marks.get(at, "") for at in run]
        return said if len(run) < 3 else [f"{said[0]}-{said[-1]}"]

    def _follows(self, one: str, other: str, marks: dict[str, str]) -> bool:
        first, second = self._names[one], self._names[other]
        together = first[0] == second[0] and int(first[1:]) + 1 == int(second[1:])
        return together and marks.get(one, "") == marks.get(other, "")


def _natural(address: str) -> list[tuple[str, int]]:
    """10.0.0.9 before 10.0.0.10."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", address)]
