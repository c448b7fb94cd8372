"""A running deployment as one picture: a pure function of what its history has told so far."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from quorumshift.domain.chronicle import Chronicle, News, Visit
from quorumshift.domain.execution import Ending, Execution, Place
from quorumshift.domain.findings import (
    Document,
    alarms,
    alarms_ignored,
    build_line,
    checks,
    failures,
    nodes,
    short,
    stages,
    table,
    texts,
    traffic,
    verdict,
)
from quorumshift.report.chronicle import QUIET, clock, line, record, title, what, worth_a_line
from quorumshift.report.drawing import traffic_bar

NEWS = 8
"""How many of the last lines are shown, where there is room."""
SILENCE_SECONDS = 10.0
"""How long AWS may not answer before the picture says so."""
_STAGES = {
    "done": ("✔", "green"),
    "running": ("▶", "bold yellow"),
    "failed": ("✘", "bold red"),
    "pending": ("·", "dim"),
    "skipped": ("–", "dim"),
}
_EDGES = {Ending.RUNNING: "blue", Ending.DEPLOYED: "green", Ending.ROLLED_BACK: "yellow"}
_STATES = 4
"""How many of the last states are shown."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known at one time. ``seen``: when AWS told it, epoch seconds; ``note``: a complaint
    that there has been since."""

    execution: Execution
    place: Place
    visits: tuple[Visit, ...]
    news: tuple[News, ...]
    seen: float
    note: str = ""


def scene(execution: Execution, chronicle: Chronicle, seen: float) -> Scene:
    """How things stand after the events that ``chronicle`` has taken."""
    last = tuple(worth_a_line(chronicle.news)[-NEWS:])
    return Scene(execution, chronicle.place, tuple(chronicle.visits), last, seen)


@dataclass(frozen=True, slots=True)
class Picture:
    """``scene`` at ``now`` (epoch seconds), as wide as the terminal and no higher."""

    scene: Scene
    now: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = record(self.scene.execution, self.scene.place, self.now)
        ending = Ending(found["ending"])
        panel = Panel(
            _grid(_rows(self.scene, found, self.now)),
            title=Text(f"{title(found)} · {found['execution']} · {clock(found['seconds'])}"),
            title_align="left",
            border_style=_EDGES.get(ending, "red"),
        )
        drawn = console.render_lines(panel, options.update(height=None))
        room = max(0, min(NEWS, console.height - len(drawn)))
        yield Group(panel, *_news(self.scene, room))


def _news(seen: Scene, room: int) -> Iterator[RenderableType]:
    for news in seen.news[-room:] if room else ():
        at = clock(news.at - seen.execution.started)
        style = "red" if news.kind == "error" or " NO. " in news.text else ""
        yield Text(f"{at:>8}  {line(news)}", style=style, no_wrap=True, overflow="ellipsis")


def _grid(rows: Iterator[tuple[str, RenderableType]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, shown in rows:
        grid.add_row(name, Text(shown) if isinstance(shown, str) else shown)  # no markup
    return grid


def _rows(
    seen: Scene, found: Mapping[str, Any], now: float
) -> Iterator[tuple[str, RenderableType]]:
    document = seen.place.document
    yield "deploys", _deploys(found)
    yield "states", _states(seen, now)
    if build_line(document) and not found["revision"]:
        yield "build", build_line(document)
    if known := stages(document):
        yield "stages", _stages(known)
    if weights := traffic(document):
        yield "traffic", traffic_bar(float(weights["green"]))
    if reason := table(document, "rollback").get("reason"):
        yield "roll-back", str(reason)
    yield from _hooks(document)
    yield from _alarms(document)
    if failed := failures(document):
        text = f"{len(failed)} of green stopped; the last one: {failed[-1]['reason']}"
        yield "tasks", Text(text, style="red")
    yield from _cluster(document)
    if found["cause"]:
        yield "cause", Text(found["cause"], style="yellow")
    if seen.note:
        yield "note", Text(seen.note, style="yellow")
    elif seen.execution.running and now - seen.seen > SILENCE_SECONDS:
        text = f"AWS last answered {clock(now - seen.seen)} ago; the deployment goes on"
        yield "note", Text(text, style="yellow")
    yield "next", _next(seen.execution, Ending(found["ending"]))


def _deploys(found: Mapping[str, Any]) -> str:
    revision = table(found, "revision")
    moved = " → ".join(short(revision[key]) for key in ("from", "to") if revision.get(key))
    deployment = f", {found['deployment']}" if found["deployment"] else ""
    undone = f", rolled back by {found['rollback']}" if found["rollback"] else ""
    return f"{moved or what(found['request'])}{deployment}{undone}"


def _states(seen: Scene, now: float) -> Text:
    """The last states that were passed, without waiting and choosing, and the one at hand with how
    long it has lasted, or its loop."""
    text, visits = Text(), seen.visits
    if not visits:
        return text
    here = visits[-1]
    began = next((one for one in reversed(visits) if one.state not in QUIET), here)
    entered = dict.fromkeys(one.state for one in visits if one.state not in QUIET)
    passed = [state for state in entered if state != here.state]
    more = ["…"] if len(passed) > _STATES else []
    text.append(" → ".join([*more, *passed[-_STATES:], ""]), style="dim")
    text.append(here.state, style="bold")
    if seen.execution.running:
        since = here.entered if here is began else began.left or began.entered
        text.append(f" for {clock(now - since)}")
    return text


def _stages(known: list[Document]) -> RenderableType:
    shown = [(str(one["name"]), _STAGES.get(str(one["status"]), ("?", ""))) for one in known]
    failed = [f"{one['name']}: {one['message']}" for one in known if one.get("message")]
    return _listed([Text(f"{sign} {name}", style) for name, (sign, style) in shown], failed)


def _hooks(document: Document) -> Iterator[tuple[str, RenderableType]]:
    if answers := checks(document):
        told = [(str(one["name"]), bool(one["passed"]), str(one["reason"])) for one in answers]
        said = [
            Text(f"{name} {'yes' if passed else 'NO'}", "green" if passed else "bold red")
            for name, passed, _ in told
        ]
        yield "hooks", _listed(said, [f"{name}: {why}" for name, passed, why in told if not passed])


def _listed(words: list[Text], complaints: list[str]) -> RenderableType:
    """Words beside each other, each of them whole, and what is wrong below."""
    return Group(Columns(words, padding=(0, 2)), *(Text(one, "red") for one in complaints))


def _alarms(document: Document) -> Iterator[tuple[str, RenderableType]]:
    known = alarms(document)
    rings = "RINGS, and stops nothing" if alarms_ignored(document) else "RINGS"
    ringing = [f"{one['name']} {rings}: {one.get('reason')}" for one in known if one["ringing"]]
    off = sum(bool(one.get("off")) for one in known)
    quiet = f"{len(known)} quiet" if not off else f"{off} switched off in the deployment group"
    if known:
        worrying = ringing or off
        yield "alarms", Text("\n".join(ringing) or quiet, "red" if worrying else "")


def _cluster(document: Document) -> Iterator[tuple[str, RenderableType]]:
    """Who votes and who learns, by colour; and what the last look finds wrong with it."""
    said = verdict(document)
    leader = table(said, "evidence").get("leader")
    members = [node for node in nodes(document) if node["standing"] in ("voter", "learner")]
    members.sort(key=lambda node: (str(node["colour"]), -len(str(node["standing"]))))
    for colour, same in groupby(members, key=lambda node: str(node["colour"])):
        rows = [_standings(standing, list(those), leader) for standing, those in _grouped(same)]
        style = colour if colour in ("blue", "green") else ""
        yield colour if style else "others", Text("; ".join(rows), style=style)
    if said and said.get("decision") != "proceed":
        yield "cluster", Text(" ".join(texts(said, "reasons")), style="yellow")


def _grouped(same: Iterator[Document]) -> Iterator[tuple[str, Iterator[Document]]]:
    return groupby(same, key=lambda node: str(node["standing"]))


def _standings(standing: str, those: list[Document], leader: object) -> str:
    names = (f"{one['address']}{' (leader)' if one['address'] == leader else ''}" for one in those)
    return f"{len(those)} {standing}{'' if len(those) == 1 else 's'}: {', '.join(names)}"


def _next(execution: Execution, ending: Ending) -> str:
    if ending is Ending.RUNNING:
        return (
            f"quorumshift stop {execution.name}  (rolls it back; Ctrl-C stops the watching alone)"
        )
    if ending is Ending.DEPLOYED:
        return "quorumshift rollback  (deploys what served before)"
    return "quorumshift status  (what serves, and how the cluster stands)"


class Drawn:
    """Keeps the last scene for whoever draws it, in another thread."""

    def __init__(self, execution: Execution) -> None:
        self._scene = scene(execution, Chronicle(), time.time())

    def show(self, execution: Execution, chronicle: Chronicle, told: Sequence[News]) -> None:
        """How things stand now."""
        self._scene = scene(execution, chronicle, time.time())

    def complain(self, text: str) -> None:
        """Something is wrong with the watching, until the next look."""
        self._scene = replace(self._scene, note=text)

    def picture(self) -> Picture:
        """At this moment."""
        return Picture(self._scene, time.time())
