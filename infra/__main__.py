"""``python -m infra``: write the cloud assembly."""

from infra.runtime import use_bundled_node

use_bundled_node()

from infra.app import main  # noqa: E402 # importing the CDK starts Node

main()
