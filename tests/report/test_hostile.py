"""Hostile text from every source, through every output: nothing of it reaches who reads."""

from __future__ import annotations

import ast
import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from quorumshift.cli import service
from quorumshift.cli.deploy import confirmed
from quorumshift.cli.errors import broke, say
from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.main import main
from quorumshift.cli.rehearse import put_out
from quorumshift.domain.chronicle import Chronicle
from quorumshift.domain.doctor import Check as Finding
from quorumshift.domain.doctor import Group, State
from quorumshift.domain.health import assess
from quorumshift.domain.notice import Notice, unreconciled
from quorumshift.domain.outcome import failed
from quorumshift.domain.policy import Policy
from quorumshift.domain.preview import Preview
from quorumshift.domain.revision_changes import Change
from quorumshift.domain.shift import Step
from quorumshift.domain.slack import as_slack
from quorumshift.rehearsal.world import EventLog
from quorumshift.report import chronicle, doctor, history, preview, status
from quorumshift.report.drawing import canvas
from quorumshift.report.job_log import JobLog
from quorumshift.report.live import Kept, Log
from quorumshift.report.picture import Picture, scene
from quorumshift.report.summary import as_markdown
from tests.domain.strategies import fleet
from tests.domain.test_shown import unsafe
from tests.report.recorded import NAMES, Told, replayed

ROOT = Path(__file__).parents[2]
HOSTILE = (
    "\x1b]0;x\x07\x1b[2J\x9b31m\x7f\u202ehidden\u2066\ud800\r\n::add-mask::x\n##[error]y\u2028"
)
SAFE = ("page", "one_line", "as_json")
"""What a print may be given: the value of one of these, of ``quorumshift.domain.shown``."""


# Every place that writes


def written() -> Iterator[tuple[str, ast.Call]]:
    """Each call in the product by which text leaves, with its file and line."""
    for folder in ("quorumshift", "tasks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name.startswith("quorumshift/rehearsal/"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _leaves(node, name):
                    yield f"{name}:{node.lineno}", node


def _leaves(call: ast.Call, name: str) -> bool:
    """A print, or a write to a file of the commands' or the reports'."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    told = name.startswith(("quorumshift/cli/", "quorumshift/report/"))
    return told and isinstance(call.func, ast.Attribute) and call.func.attr in ("write", "print")


def test_whatever_is_written_is_made_safe_where_it_is_written() -> None:
    found = list(written())
    assert len(found) > 15, "the search itself has gone wrong"
    for place, call in found:
        given = call.args[0]
        if isinstance(given, ast.Constant):
            continue  # our own words
        if place.startswith("quorumshift/report/drawing.py"):
            assert ast.unparse(given) == "Shown(picture())", place
            continue
        if place.startswith("quorumshift/cli/entry.py"):
            assert isinstance(call.args[-1], ast.Constant), place
            continue
        assert isinstance(given, ast.Call), place
        assert ast.unparse(given.func) in SAFE, f"{place}: print page(…), one_line(…) or as_json(…)"


# Every output


def told(name: str) -> Told:
    """A recorded execution, every word of whose data somebody hostile has written."""
    found = replayed(name)
    found.chronicle.document = spoilt(dict(found.chronicle.document))
    news = [replace(one, text=f"{one.text}{HOSTILE}") for one in found.chronicle.news]
    found.chronicle.news[:] = news
    return found


WORDS = ("message", "reason", "reasons", "cause", "error", "image", "initiator", "description")


def spoilt(value: Any, word: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: spoilt(one, word or key in WORDS) for key, one in value.items()}
    if isinstance(value, list):
        return [spoilt(one, word) for one in value]
    return f"{value}{HOSTILE}" if word and isinstance(value, str) else value


def record_of(told: Told) -> dict[str, Any]:
    """As the commands make it, from a cause and a request that are hostile too."""
    request = {"image": HOSTILE, "initiator": HOSTILE, "description": HOSTILE}
    execution = replace(told.execution, cause=f"it failed{HOSTILE}", request=request)
    return chronicle.record(execution, told.chronicle.place, 2.0)


def plain(capsys: pytest.CaptureFixture[str], lines: bool = True) -> str:
    """What was printed, which must be safe; ``lines``: newlines are the page's own."""
    spoken = capsys.readouterr()
    text = spoken.out + spoken.err
    assert text
    assert set(unsafe(text)) <= {"\n"}
    assert not any(line.lstrip().startswith("::add-mask") for line in text.splitlines()) or lines
    return text


@pytest.mark.parametrize("name", NAMES)
def test_an_execution_as_page_table_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = record_of(told(name))
    put_out(chronicle.as_text(record))
    put_out(history.as_text([record, record]))
    rows = plain(capsys).splitlines()[-3:]
    assert rows[0].startswith("started")
    assert rows[1] == rows[2], "a word of one row makes no other row"
    service.put("json", record, str)
    assert json.loads(plain(capsys)) == record, "JSON tells what was said"


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_news_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    news = told(name).chronicle.news
    for one in news:
        service.tell(chronicle.line(one))
    assert len(plain(capsys).splitlines()) == len(news)


@pytest.mark.parametrize("name", NAMES)
def test_a_jobs_log_and_its_summary(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, stream = told(name), io.StringIO()
    log = JobLog(stream)
    log.show(found.chronicle.news, HOSTILE)
    log.say(HOSTILE)
    log.error(HOSTILE, HOSTILE)
    log.notice(HOSTILE, HOSTILE)
    text = stream.getvalue()
    assert set(unsafe(text)) <= {"\n"}
    lines = (line.lstrip() for line in text.splitlines())
    commands = {line.split("::")[1].split(" ")[0] for line in lines if line.startswith("::")}
    assert commands <= {"group", "endgroup", "error", "notice"}
    page = as_markdown(record_of(found), found.chronicle)
    assert set(unsafe(page)) <= {"\n"}
    assert not any(line.startswith("::") for line in page.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_on_a_terminal(name: str) -> None:
    found = told(name)
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign] # a terminal, as far as rich looks
    execution = replace(found.execution, cause=f"[/]{HOSTILE}", request={"image": f"[b]{HOSTILE}"})
    drawn = (
        Picture(scene(execution, Chronicle(), 1.0), 2.0),
        Picture(scene(execution, found.chronicle, 1.0), 2.0),
    )
    for picture in (*drawn, Text(HOSTILE)):
        with canvas(stream, lambda picture=picture: picture, screen=True):  # type: ignore[misc]
            pass
    shown = stream.getvalue()
    for bad in ("\x1b]", "\x07", "\x9b", "\x7f", "\u202e", "\u2066", "\ud800"):
        assert bad not in shown, repr(bad)
    assert "\\x1b]0;x" in shown


def test_what_a_verb_finds(capsys: pytest.CaptureFixture[str]) -> None:
    put_out(
        status.verdict_as_text(replace(assess(fleet(3, 0), Policy()), reasons=(HOSTILE,)), HOSTILE)
    )
    found: dict[str, Any] = {
        "service": "app",
        "serving": {"taskDefinition": HOSTILE, "image": HOSTILE},
        "deployment": None,
        "execution": None,
        "last": record_of(told("stopped")),
        "cluster": {"reasons": [HOSTILE]},
        "locks": [],
        "trouble": HOSTILE,
    }
    put_out(status.as_text(found))
    put_out(status.as_text({**found, "cluster": None, "locks": None}))
    groups = [Group("Raft", (Finding("health", State.NG, HOSTILE, HOSTILE),))]
    put_out(doctor.as_text(groups))
    service.put("json", doctor.as_json(groups), str)
    change = (Change("app.image", HOSTILE, HOSTILE),)
    seen = Preview(
        before=HOSTILE,
        after=HOSTILE,
        image=HOSTILE,
        changes=change,
        config=HOSTILE,
        steps=(Step(0, 100),),
        termination_minutes=5,
        hand_over=HOSTILE,
        refusals=(HOSTILE,),
        notes=(HOSTILE,),
    )
    service.tell(preview.as_text(seen))
    plain(capsys)


def test_an_error_a_question_and_bad_usage_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say("watch", HOSTILE, ExitCode.BROKEN)
    broke("watch", ValueError(HOSTILE))
    with contextlib.suppress(SystemExit):
        main(["watch", "--no-such-option", f"--{HOSTILE}"])
    assert len(plain(capsys).splitlines()) == 3
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert not confirmed(f"deploy {HOSTILE}? ")
    assert "\n" not in plain(capsys)


class Rehearsed:
    """As much of a rehearsal as a log of its events looks at."""

    load = players = None

    def __init__(self) -> None:
        self.world = self
        self.events = EventLog()


@pytest.mark.parametrize("view", [Log, Kept])
def test_a_rehearsals_events(view: Any) -> None:
    rehearsed, stream = Rehearsed(), io.StringIO()
    shown = view(rehearsed, stream)
    rehearsed.events.say("alarm", f"it rang{HOSTILE}")
    rehearsed.events.say("notification", f"app: {HOSTILE}", message=HOSTILE)
    shown.close()
    assert set(unsafe(stream.getvalue())) <= {"\n"}
    assert stream.getvalue().count("it rang") == 1


def test_messages_to_people() -> None:
    for one in (notice(), unreconciled("app", HOSTILE)):
        assert unsafe(one.subject) == []
        assert set(unsafe(one.message)) <= {"\n"}
    alarm = {"AlarmName": HOSTILE, "NewStateReason": HOSTILE, "AlarmDescription": HOSTILE}
    for subject, message in ((HOSTILE, HOSTILE), ("", json.dumps(alarm))):
        text = json.dumps(as_slack(subject, message), ensure_ascii=False)
        assert unsafe(text) == []


def notice() -> Notice:
    cause = json.dumps({"errorMessage": f"image: no such image{HOSTILE}"})
    state = {
        "execution": {"id": "arn:e:one"},
        "failure": {"Error": "InvalidRequest", "Cause": cause},
    }
    outcome = failed("app", state, f"as before{HOSTILE}", True)
    return Notice(outcome.subject, outcome.message)
