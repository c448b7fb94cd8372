"""Tags of scalable targets, which moto does not know.

Tags live beside the target and go with it. As AWS documents it, a target is named by its ARN, an
unknown one is refused, and a target has at most fifty tags (Application Auto Scaling API
reference, TagResource).
"""

from __future__ import annotations

import json
from typing import Any

MOST = 50
_KEPT = "_rehearsal_tags"


class ScalingTagsEngine:
    """Adds TagResource, UntagResource and ListTagsForResource to Application Auto Scaling."""

    def install(self) -> None:
        """Add the operations to moto's."""
        from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Response
        from moto.core.exceptions import JsonRESTError

        def tags(self: Any) -> dict[str, str]:
            arn = self._get_param("ResourceARN")
            for each in self.applicationautoscaling_backend.targets.values():
                for target in each.values():
                    if target.arn == arn:
                        found: dict[str, str] = vars(target).setdefault(_KEPT, {})
                        return found
            raise JsonRESTError("ResourceNotFoundException", f"No scalable target has {arn}.")

        def tag_resource(self: Any) -> str:
            known, given = tags(self), self._get_param("Tags") or {}
            if len(known | given) > MOST:
                raise JsonRESTError("TooManyTagsException", f"At most {MOST} tags.")
            known.update(given)
            return json.dumps({})

        def untag_resource(self: Any) -> str:
            known = tags(self)
            for key in self._get_param("TagKeys") or []:
                known.pop(key, None)
            return json.dumps({})

        def list_tags_for_resource(self: Any) -> str:
            return json.dumps({"Tags": tags(self)})

        for operation in (tag_resource, untag_resource, list_tags_for_resource):
            setattr(Response, operation.__name__, operation)

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""
