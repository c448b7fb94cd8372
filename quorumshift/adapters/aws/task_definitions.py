"""Task definition revisions: the next one is the live one with another image, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import every, message
from quorumshift.adapters.aws.newer_fields import RAW, known, newer
from quorumshift.domain.errors import InvalidRequest, MissingResource
from quorumshift.domain.previous import Deployed, previous
from quorumshift.domain.request import CURRENT, PREVIOUS


class EcsTaskDefinitions:
    """Implements ``ports.TaskDefinitions`` for one family and its one container.

    ``live``: tells the ARN of the revision that serves now; ``deployed``: what was deployed well,
    newest first, asked only where somebody wants the previous revision. Environment and secrets
    are copied inside AWS's own reply and never leave this object.
    """

    def __init__(
        self,
        ecs: Any,
        family: str,
        container: str,
        live: Callable[[], str],
        deployed: Callable[[], Iterable[Deployed]] = tuple,
    ) -> None:
        self._ecs = ecs
        self._family = family
        self._container = container
        self._live = live
        self._deployed = deployed

    def live(self) -> str:
        """ARN of the revision that serves now."""
        return self._live()

    def resolve(self, name: str) -> str:
        """ARN of an active revision of the family. Raises ``InvalidRequest``."""
        if name == CURRENT:
            return self.live()
        if name == PREVIOUS:
            return self._previous()
        family = name.rpartition("/")[2].rpartition(":")[0]
        if family != self._family:
            raise InvalidRequest(
                f"taskDefinition: {name!r} is of another family; this service runs {self._family}"
            )
        try:
            found = self._ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        except ClientError as error:
            raise InvalidRequest(
                f"taskDefinition: there is no revision {name!r}; name one of "
                f"{', '.join(self._newest(5)) or 'none'}"
            ) from error
        if found.get("status") != "ACTIVE":
            raise InvalidRequest(
                f"taskDefinition: {name!r} is {found.get('status')}; name an active revision"
            )
        return str(found["taskDefinitionArn"])

    def image(self, task_definition: str) -> str:
        """The image of the service's container in this revision."""
        return str(self._find_container(self._describe(task_definition)[0])["image"])

    def contents(self, task_definition: str) -> dict[str, Any]:
        """What RegisterTaskDefinition takes of a revision (ARN)."""
        return self._describe(task_definition)[0]

    def with_image(self, image: str) -> tuple[str, bool]:
        """The live revision when it has this image already; else the newest one when it is the
        live one with this image (an earlier try registered it); else a new one."""
        live = self.live()
        wanted, tags = self._describe(live)
        if self._find_container(wanted)["image"] == image:
            return live, False
        self._find_container(wanted)["image"] = image
        newest = next(iter(self._arns()), live)
        if newest != live and self._describe(newest)[0] == wanted:
            return newest, False
        return self._register(wanted, tags), True

    def _register(self, wanted: dict[str, Any], tags: list[dict[str, str]]) -> str:
        """The ARN. Fields that are newer than the SDK are sent as AWS told them. Raises
        ``InvalidRequest`` with their names where AWS does not keep them: they may be ones that
        nobody sets, or must be set in another way."""
        request = {**wanted, **({"tags": tags} if tags else {})}
        shape = self._operation("RegisterTaskDefinition").input_shape
        sent = newer(wanted, shape)
        try:
            answer = self._ecs.register_task_definition(**known(request, shape), **{RAW: request})
        except ClientError as error:
            if sent:
                raise _not_carried(sent, message(error)) from error
            raise
        kept = newer(answer[RAW]["taskDefinition"], shape)
        lost = [path for path, value in sent.items() if kept.get(path) != value]
        arn = str(answer["taskDefinition"]["taskDefinitionArn"])
        if lost:
            raise _not_carried(lost, f"{arn.rpartition('/')[2]} lacks what the live revision has")
        return arn

    def _describe(self, arn: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """What RegisterTaskDefinition takes of a revision, fields newer than the SDK included, and
        its tags but AWS's own (``aws:…``), which nobody else may set."""
        found = self._ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        taken = self._operation("RegisterTaskDefinition").input_shape.members
        told = self._operation("DescribeTaskDefinition").output_shape.members["taskDefinition"]
        revision = {
            key: value
            for key, value in found[RAW]["taskDefinition"].items()
            if key in taken or key not in told.members
        }
        tags = [tag for tag in found.get("tags") or [] if not tag["key"].startswith("aws:")]
        return revision, tags

    def _operation(self, name: str) -> Any:
        return self._ecs.meta.service_model.operation_model(name)

    def _find_container(self, revision: dict[str, Any]) -> dict[str, Any]:
        for container in revision["containerDefinitions"]:
            if container["name"] == self._container:
                return cast(dict[str, Any], container)
        names = ", ".join(one["name"] for one in revision["containerDefinitions"])
        raise MissingResource(
            f"the task definition {self._family} has no container {self._container} (but {names}); "
            "correct the configured container"
        )

    def _previous(self) -> str:
        live = int(self.live().rpartition(":")[2])
        found = previous(live, self._deployed())
        if found is None:
            raise InvalidRequest(
                f"taskDefinition: nobody knows what served before {self._family}:{live}; no other "
                "revision was deployed well through quorumshift in the time that CodeDeploy "
                f"remembers. Name a revision, such as one of {', '.join(self._newest(5))}"
            )
        return self.resolve(f"{self._family}:{found}")

    def _newest(self, count: int) -> list[str]:
        return [arn.rpartition("/")[2] for arn in self._arns()][:count]

    def _arns(self) -> list[str]:
        """The active revisions, newest first."""
        arns = every(
            self._ecs.list_task_definitions,
            "taskDefinitionArns",
            familyPrefix=self._family,
            status="ACTIVE",
        )
        return sorted(arns, key=lambda arn: int(arn.rpartition(":")[2]), reverse=True)


def _not_carried(fields: Iterable[str], seen: str) -> InvalidRequest:
    return InvalidRequest(
        f"image: the live revision has {', '.join(sorted(fields))}, newer than this quorumshift, "
        f"and a copy of it would not ({seen}); register the revision yourself and deploy it with "
        "taskDefinition, or update quorumshift"
    )
