"""What a deployment would do, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.findings import short
from quorumshift.domain.preview import Preview
from quorumshift.domain.revision_changes import Change
from quorumshift.domain.shift import Step
from quorumshift.report.folding import folded

_HEAD = 11


def as_text(preview: Preview) -> str:
    """The page: what changes, how traffic and votes move, what would refuse it now."""
    rows = [
        ("from", short(preview.before)),
        ("to", short(preview.after) or "a new revision"),
        *_changed(preview),
        ("traffic", f"{_traffic(preview.steps)} ({preview.config})"),
        ("blue", f"ends {preview.termination_minutes} min after the last step"),
        ("votes", preview.hand_over),
        *(("note", text) for text in preview.notes),
        *(("REFUSED", text) for text in preview.refusals),
    ]
    return "\n".join(
        line for name, text in rows if text for line in folded(f"{name:<{_HEAD}}", text)
    )


def _changed(preview: Preview) -> list[tuple[str, str]]:
    if preview.changes is None:
        return [("changes", "the image, once it is built, and nothing else")]
    if not preview.changes:
        return [("changes", "none: the same revision is deployed again")]
    rows: list[tuple[str, str]] = []
    for change in preview.changes:
        rows += [("changes" if not rows else " ", f"{change.what}: {_sides(change)}")]
    return rows


def _sides(change: Change) -> str:
    if change.before is None:
        return f"added ({change.after})"
    if change.after is None:
        return f"removed ({change.before})"
    if change.before == change.after:
        return "changed"
    return f"{change.before} → {change.after}"


def _traffic(steps: Sequence[Step]) -> str:
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return "all to green at once"
    if len(steps) == 2:
        return f"green {first.green} % at once, {last.green} % after {last.minute} min"
    more = steps[1].minute - first.minute
    return (
        f"green {first.green} % at once, {first.green} % more every {more} min, {last.green} % "
        f"after {last.minute} min"
    )
