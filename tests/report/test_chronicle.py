"""The news of real executions, recorded in rehearsals, as lines and as a page."""

from __future__ import annotations

import json

import pytest

from quorumshift.domain.execution import Ending
from quorumshift.report.chronicle import HEADS, clock, line, title, worth_a_line
from tests.report.recorded import NAMES, replayed, stands_in_the_docs


def test_a_deployment_is_told_from_its_history_alone() -> None:
    told = replayed("deployed")
    text = "\n".join(told.lines)
    assert "revision    sample:2 → sample:3 (registered), " in text
    assert "hook        BeforeInstall: yes. 3 of 3 voters are healthy" in text
    assert "traffic     blue 50 %, green 50 %" in text
    assert "learners 127.71.2.18; leader 127.71.2.13" in text
    assert "WaitForDeployment" not in text
    assert not any("alarm" in one for one in told.lines)  # quiet ones are no news
    assert told.ending is Ending.DEPLOYED


def test_no_line_is_told_twice_but_what_is_so_before_and_after() -> None:
    for name in NAMES:
        lines = replayed(name).lines
        again = {text.split()[0] for text in lines if lines.count(text) > 1}
        assert again <= {"raft", "votes", "traffic"}


def test_a_roll_back_tells_why() -> None:
    told = replayed("rolled-back")
    text = "\n".join(told.lines)
    assert "of green stopped: Essential container in task exited, exit code 1\n" in text
    assert "skipped" not in text
    assert "ERROR       TasksDoNotStart: 5 green tasks stopped; the last one: " in text
    assert "mend the image, and deploy it again.\n" in text
    assert "stop        the deployment was stopped\n" in text
    assert "roll-back   deployment d-MMF82CK64 rolls it back\n" in text
    assert "outcome     5 green tasks stopped; the last one: " in text
    assert told.ending is Ending.ROLLED_BACK


def test_a_stopped_one_says_where_it_stood_and_how_it_was_undone() -> None:
    told = replayed("stopped")
    text = "\n".join(told.lines)
    assert "stage       AfterAllowTraffic failed: The deployment was stopped by a user." in text
    assert "ERROR       StoppedByRequest: somebody stopped the rollout (after " in text
    assert told.page.startswith("Rolled back\n")
    assert "serves all traffic again" in told.page
    assert "asked by   octocat" in told.page
    assert all(len(one) <= 100 or "sha256" in one for one in told.page.splitlines())


def test_the_record_is_plain_data() -> None:
    document = replayed("rolled-back").record
    assert json.loads(json.dumps(document)) == document
    assert document["ending"] == "rolledBack"
    assert document["deployment"] == "d-JHGCRM6DJ"
    assert document["rollback"] == "d-MMF82CK64"
    assert document["revision"]["to"].endswith("sample:2")
    assert document["checks"][0]["name"] == "BeforeInstall"
    assert document["seconds"] == pytest.approx(11, abs=1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3600, "1:00:00"), (-1, "0:00")]
)
def test_the_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_every_ending_has_its_words() -> None:
    for ending in Ending:
        assert title({"ending": ending.value}, "app:2").startswith(f"{HEADS[ending]}: app:2")
    assert title({"ending": "refused"}) == "Refused (nothing was touched)"


@pytest.mark.parametrize(
    ("status", "cause"), [("ABORTED", "was stopped by hand"), ("TIMED_OUT", "took too long")]
)
def test_an_end_without_a_cause_is_given_one(status: str, cause: str) -> None:
    told = replayed("deployed", "WaitForDeployment", status=status)
    assert told.record["cause"] == f"the execution {cause}"
    assert "with a deployment whose end it did not see" in told.page


def test_the_page_in_the_docs_is_what_the_command_says() -> None:
    told = replayed("stopped")
    began = told.execution.started
    news = worth_a_line(told.chronicle.news)
    lines = [f"{clock(one.at - began):>8}  {line(one)}" for one in news]
    page = "\n".join([*lines[-8:], told.page]) + "\n"
    stands_in_the_docs("stopped.txt", page)
