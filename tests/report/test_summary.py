"""The page of Markdown about recorded executions."""

from __future__ import annotations

import re

from tests.report.recorded import entries, recording, replayed, told


def test_the_page_tells_the_end_the_hooks_with_evidence_the_states_and_the_times() -> None:
    page = replayed("deployed").markdown("https://console", "Nothing is left to do.")
    assert page.startswith("## ✅ Deployed: sample:3\n")
    assert "[github-1001-deploy](https://console)" in page
    assert "| took | 0:32 |" in page
    assert page.count("<summary>Evidence of ") == 5
    assert '"locked": [' in page
    assert "| AfterAllowTraffic | yes | Without blue, 3 of 3 voters stay healthy" in page
    assert "| 09:05:43 | Deployment: AllowTraffic | traffic | blue 90 %, green 10 % |" in page
    assert page.rstrip().endswith("Nothing is left to do.")
    assert "↩️ Rolled back: sample:2" in replayed("rolled-back").markdown()


def test_the_picture_counts_the_ways_and_marks_what_failed() -> None:
    found = recording("deployed")
    events = list(found["events"])
    at = entries(events, "VerifyRaft")[0]
    failed = {
        "id": 9000,
        "type": "LambdaFunctionFailed",
        "timestamp": events[at]["timestamp"],
        "lambdaFunctionFailedEventDetails": {
            "error": "Transient",
            "cause": '{"errorMessage": "nobody answers\\nyet", "errorType": "Transient"}',
        },
    }
    page = told(found["described"], [*events[: at + 1], failed, *events[at + 1 :]]).markdown()
    assert "| ERROR | VerifyRaft failed: Transient: nobody answers yet |" in page
    assert "    class VerifyRaft failed\n" in page
    assert re.search(r"WaitForDeployment -->\|\d\d times\| PollDeployment\n", page)
    assert "    style Deployed fill:#2da44e" in page


def test_what_others_wrote_can_leave_neither_its_cell_nor_its_fence() -> None:
    found = recording("stopped")
    cause = 'a|b <img src=x> [x](y) @team\n## "new"'
    for event in found["events"]:
        details = event.get("stateExitedEventDetails", {})
        if "output" in details:
            details["output"] = details["output"].replace(
                "3 green tasks run", "```\\n<b>|@team 3 green tasks run"
            )
    page = told({**found["described"], "cause": cause}, found["events"]).markdown()
    assert "<img" not in page
    assert "<b>" not in page
    assert "@team" not in page
    assert "\na\\|b &lt;img src=x> \\[x\\](y) &#64;team ## " in page
    rows = [line for line in page.splitlines() if line.startswith("| AfterInstall |")]
    assert len(rows) == 1
    assert "\\`\\`\\` &lt;b>\\|&#64;team 3 green" in rows[0]
    assert page.count("```") % 2 == 0
