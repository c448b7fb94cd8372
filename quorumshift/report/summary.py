"""A page of Markdown about an execution of ``deploy``, as GitHub shows it under a job: how it
ended, what the hooks said and on what evidence, the states it went through, and when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from quorumshift.report.news import lines, short
from quorumshift.report.story import Ending, Story

LONGEST = 1_000_000
"""Characters, well within the MiB that GitHub takes for a step; longer pages lose their end."""
_TITLES = {
    Ending.RUNNING: "Still running",
    Ending.DEPLOYED: "Deployed",
    Ending.ROLLED_BACK: "Rolled back",
    Ending.REFUSED: "Refused before anything was touched",
    Ending.FAILED: "Failed",
    Ending.STOPPED: "The execution was stopped",
    Ending.TIMED_OUT: "The execution timed out",
}
_SIGNS = {Ending.DEPLOYED: "✅", Ending.RUNNING: "⏳", Ending.ROLLED_BACK: "↩️"}
_LONGEST_EVIDENCE = 4000


def as_markdown(story: Story, console: str = "", footer: str = "") -> str:
    """The whole page. ``console``: a link to the execution; ``footer``: a paragraph for its end."""
    parts = [
        f"## {_SIGNS.get(story.ending, '❌')} {title(story)}",
        _cell(story.cause),
        _facts(story, console),
        _hooks(story.data),
        "### States\n\n" + picture(story),
        _timeline(story),
        footer,
    ]
    page = "\n\n".join(part for part in parts if part) + "\n"
    return page if len(page) <= LONGEST else page[:LONGEST] + "\n\n… the rest was too long\n"


def title(story: Story) -> str:
    """How it stands, in a few words."""
    to = short((story.data.get("revision") or {}).get("to"))
    return _TITLES[story.ending] + (f": {to}" if to else "")


def picture(story: Story) -> str:
    """The states that were entered and the ways between them, as a Mermaid diagram; a way that was
    gone often says how often."""
    states = dict.fromkeys(visit.state for visit in story.visits)
    ways = Counter(pairwise(visit.state for visit in story.visits))
    drawn = ["```mermaid", "flowchart TD"]
    drawn += [f"    {state}([{state}])" for state in states]
    for (before, after), times in ways.items():
        label = f"|{times} times| " if times > 1 else ""
        drawn.append(f"    {before} -->{label or ' '}{after}")
    drawn += list(_colours(story))
    return "\n".join([*drawn, "```"])


def _colours(story: Story) -> Iterator[str]:
    failed = {visit.state for visit in story.visits if visit.failures}
    if failed:
        yield "    classDef failed stroke:#d29922,stroke-width:3px"
        yield f"    class {','.join(sorted(failed))} failed"
    if not story.visits:
        return
    colour = {Ending.DEPLOYED: "#2da44e", Ending.RUNNING: "#0969da"}.get(story.ending, "#cf222e")
    yield f"    style {story.visits[-1].state} fill:{colour},color:#ffffff"


def _facts(story: Story, console: str) -> str:
    data = story.data
    request, revision = data.get("request") or {}, data.get("revision") or {}
    rows = {
        "description": request.get("description"),
        "asked by": request.get("initiator"),
        "from": short(revision.get("from")),
        "to": short(revision.get("to")),
        "image": revision.get("image"),
        "traffic": request.get("deploymentConfig"),
        "deployment": (data.get("deployment") or {}).get("id"),
        "roll-back": (data.get("rollback") or {}).get("undo"),
        "took": _took(story),
    }
    table = [f"| {name} | {_cell(text)} |" for name, text in rows.items() if text]
    execution = f"[{story.name}]({console})" if console else _cell(story.name)
    return "\n".join(["| | |", "| --- | --- |", *table, f"| execution | {execution} |"])


def _took(story: Story) -> str:
    end = story.ended or (story.visits[-1].left if story.visits else None)
    if end is None:
        return ""
    seconds = round((end - story.started).total_seconds())
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _hooks(data: Mapping[str, Any]) -> str:
    checks = (data.get("outcome") or {}).get("checks")
    if checks is None:
        checks = (data.get("observation") or {}).get("checks") or ()
    if not checks:
        return ""
    rows = [
        f"| {check['name']} | {'yes' if check['passed'] else '**no**'} | {_cell(check['reason'])} |"
        for check in checks
    ]
    told = [_evidence(check) for check in checks if check.get("evidence")]
    head = ["### Hooks", "", "| hook | says | because |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", *told]).rstrip()


def _evidence(check: Mapping[str, Any]) -> str:
    text = json.dumps(check["evidence"], indent=1, ensure_ascii=False)[:_LONGEST_EVIDENCE]
    fenced = text.replace("```", "` ` `")
    return (
        f"<details><summary>Evidence of {check['name']}</summary>\n\n"
        f"```json\n{fenced}\n```\n\n</details>"
    )


def _timeline(story: Story) -> str:
    rows = [
        f"| {_clock(line.at, story.started)} | {_cell(line.chapter)} | {_cell(line.text)} |"
        for line in lines(story.visits)
    ]
    if not rows:
        return ""
    day = f"{story.started:%Y-%m-%d}, UTC"
    return "\n".join(["### Timeline", "", f"| {day} | | |", "| --- | --- | --- |", *rows])


def _clock(at: datetime, started: datetime) -> str:
    days = (at.date() - started.date()).days
    return f"{at:%H:%M:%S}" + (f" +{days} d" if days else "")


def _cell(text: Any) -> str:
    """Text that stays in its cell."""
    return _text(str(text)).replace("|", "\\|").replace("\n", " ")


def _text(text: str) -> str:
    """Text that is neither HTML nor a link nor a mention."""
    for special in ("\\", "`", "*", "[", "]"):
        text = text.replace(special, f"\\{special}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
