"""What can go wrong, and when: one call, an API for a while, or something that somebody does.

A schedule is a line of text, so that what a run prints replays it:
``lost@137 outage:ecs@42.5+240 stop:deploy@80``.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

CALLS = (
    "refused",
    "slow",
    "lost",
    "throttled",
    "twice",
    "stale",
    "strange",
    "ignored",
    "denied",
    "killed",
)
"""Of one call, by its number. ``refused``: no connection, in all tries of the SDK. ``slow``:
answered late. ``lost``: done, and no reply came; the SDK repeats what may be repeated. ``twice``:
done twice, answered once. ``stale``: what the same question was answered last, if that is not long
ago. ``strange``: a proxy answered. ``ignored``: of Raft, answered as done and not done. ``denied``:
no permission. ``killed``: done, and whoever asked is dead."""
APIS = (
    "codedeploy",
    "ecs",
    "stepfunctions",
    "logs",
    "sns",
    "elbv2",
    "cloudwatch",
    "application-autoscaling",
    "raft",
    "lambda",
    "all",
)
"""Which may be out of order for a while; ``all`` is all of AWS, and Lambda runs on."""
DEEDS = (
    "stop:deploy",
    "stop:hand_over",
    "stop:deployment",
    "second",
    "skip",
    "scaleIn",
    "scaleOut",
    "task",
    "freeze",
    "alarm",
    "silenced",
    "protect",
    "misled",
)
"""What is done at a time. ``stop:``: an execution is stopped, or the deployment by a person, with
its roll-back. ``second``, ``skip``: another execution is started, one that would rather not run
beside another. ``scaleIn``, ``scaleOut``: what automatic scaling does if nobody suspended it.
``task``: a task ends (Spot). ``freeze``: a voter answers nobody any more. ``alarm``: rings.
``silenced``: rings, and was switched off in the deployment group. ``protect``: a person protects a
task, for so long. ``misled``: a person leads the production listener to nobody, for so long."""
_LAST = ("freeze", "alarm", "silenced", "protect", "misled")
LONGEST_OUTAGE = 3 * 3600.0
_TEXT = re.compile(
    r"(?P<kind>[\w:-]+)@(?P<at>[\d.]+)(?:\+(?P<seconds>[\d.]+))?(?:#(?P<which>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """``at``: number of the call, or seconds since the start. ``seconds``: how long it lasts.
    ``which``: of several tasks or voters."""

    kind: str
    at: float
    seconds: float = 0.0
    which: int = 0

    def __str__(self) -> str:
        at = f"{self.kind}@{self.at:g}"
        lasts = f"+{self.seconds:g}" if self.seconds else ""
        return at + lasts + (f"#{self.which}" if self.which else "")

    @property
    def of_a_call(self) -> bool:
        """Whether ``at`` counts calls."""
        return self.kind in CALLS

    @property
    def api(self) -> str:
        """What is out of order; else empty."""
        return self.kind.removeprefix("outage:") if self.kind.startswith("outage:") else ""


Schedule = tuple[Fault, ...]


def read(text: str) -> Schedule:
    """From text. Raises ``ValueError``."""
    return tuple(_read(one) for one in text.split())


def _read(text: str) -> Fault:
    found = _TEXT.fullmatch(text)
    known = (*CALLS, *DEEDS, *(f"outage:{api}" for api in APIS))
    if found is None or found["kind"] not in known:
        raise ValueError(f"{text} is no fault: KIND@AT[+SECONDS][#WHICH], KIND one of {known}")
    at, seconds = float(found["at"]), float(found["seconds"] or 0)
    return Fault(found["kind"], at, seconds, int(found["which"] or 0))


def tell(schedule: Schedule) -> str:
    """As text."""
    return " ".join(map(str, schedule)) or "nothing"


def shuffled(seed: int, calls: int, seconds: float) -> Schedule:
    """Two to four faults, in a run that makes so many calls and lasts so long without any."""
    dice = random.Random(seed)
    return tuple(_one(dice, calls, seconds) for _ in range(dice.choice((2, 2, 3, 4))))


def _one(dice: random.Random, calls: int, seconds: float) -> Fault:
    roll = dice.random()
    at = round(dice.uniform(0, seconds * 1.1), 1)
    if roll < 0.5:
        return Fault(dice.choice(CALLS), dice.randrange(calls))
    if roll < 0.7:
        longest = dice.choice((60.0, 60.0, 300.0, 300.0, 1800.0, LONGEST_OUTAGE))
        return Fault(f"outage:{dice.choice(APIS)}", at, round(dice.uniform(1, longest), 1))
    lasts = round(dice.uniform(5, 300), 1)
    kind = dice.choice(DEEDS)
    return Fault(kind, at, lasts if kind in _LAST else 0.0, dice.randrange(3))
