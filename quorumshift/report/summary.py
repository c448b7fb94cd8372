"""A page of Markdown about an execution of ``deploy``, as GitHub shows it under a job: how it
ended, what the hooks said and on what evidence, the states it went through, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from quorumshift.domain.chronicle import Chronicle, News, Visit
from quorumshift.domain.execution import Ending
from quorumshift.domain.findings import Document, short, table
from quorumshift.domain.shown import as_json, markdown
from quorumshift.report.chronicle import facts, title, word, worth_a_line

LONGEST = 1_000_000
"""Characters, well within the MiB that GitHub takes for a step; longer pages lose their end."""
_SIGNS = {
    Ending.DEPLOYED: "✅",
    Ending.RUNNING: "⏳",
    Ending.ROLLED_BACK: "↩️",
    Ending.SKIPPED: "⏭️",
}
_COLOURS = {
    Ending.DEPLOYED: "#2da44e",
    Ending.RUNNING: "#0969da",
    Ending.SKIPPED: "#6e7781",
}
_LONGEST_EVIDENCE = 4000


def as_markdown(record: Document, chronicle: Chronicle, console: str = "", footer: str = "") -> str:
    """The whole page. ``record``: of the execution; ``console``: a link to it; ``footer``: a
    paragraph for the page's end."""
    ending = Ending(record["ending"])
    parts = [
        f"## {_SIGNS.get(ending, '❌')} {markdown(titled(record))}",
        markdown(record["cause"]),
        _facts(record, console),
        _hooks(record["checks"]),
        "### States\n\n" + picture(chronicle.visits, _COLOURS.get(ending, "#cf222e")),
        _timeline(worth_a_line(chronicle.news)),
        footer,
    ]
    page = "\n\n".join(part for part in parts if part) + "\n"
    return page if len(page) <= LONGEST else page[:LONGEST] + "\n\n… the rest was too long\n"


def titled(record: Document) -> str:
    """How it stands and what it deploys, in a few words."""
    return title(record, short(table(record, "revision").get("to")))


def picture(visits: Sequence[Visit], colour: str) -> str:
    """The states that were entered and the ways between them, as a Mermaid diagram; a way that was
    gone often says how often. ``colour``: of the last state."""
    ways = Counter(pairwise(visit.state for visit in visits))
    drawn = ["```mermaid", "flowchart TD"]
    drawn += [f"    {state}([{state}])" for state in dict.fromkeys(one.state for one in visits)]
    for (before, after), times in ways.items():
        label = f"|{times} times| " if times > 1 else " "
        drawn.append(f"    {before} -->{label}{after}")
    if failed := {visit.state for visit in visits if visit.failures}:
        drawn.append("    classDef failed stroke:#d29922,stroke-width:3px")
        drawn.append(f"    class {','.join(sorted(failed))} failed")
    if visits:
        drawn.append(f"    style {visits[-1].state} fill:{colour},color:#ffffff")
    return "\n".join([*drawn, "```"])


def _facts(record: Document, console: str) -> str:
    name = markdown(record["execution"])
    execution = f"[{name}]({console})" if console else name
    rows = [f"| {name} | {markdown(text)} |" for name, text in facts(record).items()]
    return "\n".join(["| | |", "| --- | --- |", *rows, f"| execution | {execution} |"])


def _hooks(checks: Sequence[Document]) -> str:
    if not checks:
        return ""
    rows = []
    for check in checks:
        name, reason = markdown(check["name"]), markdown(check["reason"])
        rows.append(f"| {name} | {'yes' if check['passed'] else '**no**'} | {reason} |")
    told = [_evidence(check) for check in checks if check.get("evidence")]
    head = ["### Hooks", "", "| hook | says | because |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", *told]).rstrip()


def _evidence(check: Document) -> str:
    text = as_json(check["evidence"], indent=1)[:_LONGEST_EVIDENCE]
    fenced = text.replace("```", "` ` `")
    return (
        f"<details><summary>Evidence of {markdown(check['name'])}</summary>\n\n"
        f"```json\n{fenced}\n```\n\n</details>"
    )


def _timeline(told: Sequence[News]) -> str:
    if not told:
        return ""
    head = f"| {_time(told[0]):%Y-%m-%d}, UTC | | | |"
    rows = ["### Timeline", "", head, "| --- | --- | --- | --- |", *_rows(told)]
    return "\n".join(rows)


def _rows(told: Sequence[News]) -> Iterator[str]:
    first = _time(told[0]).date()
    for news in told:
        days = (_time(news).date() - first).days
        at = f"{_time(news):%H:%M:%S}" + (f" +{days} d" if days else "")
        cells = " | ".join(map(markdown, (news.chapter, word(news), news.text)))
        yield f"| {at} | {cells} |"


def _time(news: News) -> datetime:
    return datetime.fromtimestamp(news.at, UTC)
