"""A GitHub runner, as far as the action needs one: ``action.yml``'s last step, run as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped] # comes with moto, without types

from quorumshift.rehearsal.world import REGION, World

ROOT = Path(__file__).parents[2]


def action() -> dict[str, Any]:
    """``action.yml``."""
    return dict(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8")))


@dataclass
class Runner:
    """``folder``: the job's own checkout, where steps run."""

    folder: Path
    world: World
    job: str = "deploy"
    run_id: str = "4711"

    def start(self, machine: str, **inputs: str) -> subprocess.Popen[str]:
        """The step begins; what it writes goes to :attr:`log`."""
        step = action()["runs"]["steps"][-1]
        script = self.folder / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        with self.log.open("w") as log:
            return subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
                cwd=self.folder,
                env=self._environment({"state-machine": machine, "region": REGION, **inputs}, step),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def run(self, machine: str, **inputs: str) -> int:
        """The step, to its end."""
        return self.start(machine, **inputs).wait(60)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def told(self) -> str:
        """What the step has written."""
        return self.log.read_text(encoding="utf-8")

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text(encoding="utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _environment(self, inputs: dict[str, str], step: dict[str, Any]) -> dict[str, str]:
        given = {name: about.get("default", "") for name, about in action()["inputs"].items()}
        given |= inputs
        values = {f"${{{{ inputs.{name} }}}}": text for name, text in given.items()}
        values["${{ github.action_path }}"] = str(ROOT)
        return {
            **{name: values[text] for name, text in step["env"].items()},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.world.endpoint,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "GITHUB_RUN_ID": self.run_id,
            "GITHUB_JOB": self.job,
            "GITHUB_ACTOR": "octocat",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "QUORUMSHIFT_EVERY_SECONDS": "0.2",
        }
