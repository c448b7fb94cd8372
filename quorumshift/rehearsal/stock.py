"""What a team has before its stack is deployed: images in a repository, and a database."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from quorumshift.config import Configuration
from quorumshift.rehearsal import images
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.faults import Fault
from quorumshift.rehearsal.options import Options
from quorumshift.rehearsal.samples import sample_of
from quorumshift.rehearsal.world import World

COMMIT = "2" * 40
"""What version 2 is built from."""


def stock(aws: EmbeddedAws, configuration: Configuration, options: Options) -> dict[str, Any]:
    """Push version 1, and version 2 as the fault or the way of deploying has it, or keep that ready
    for the build of its commit; return the request that deploys version 2."""
    contract, fault = options.spoken, options.fault or Fault("", "nothing")
    repository, sample = configuration.names.repository, sample_of(configuration)

    def push(tag: str, version: str, behaviour: str, speaks: str) -> str:
        return images.push(
            aws.world,
            repository,
            tag,
            version=version,
            behaviour=behaviour,
            module=sample.module,
            contract=speaks,
        )

    push(configuration.service.image_tag, "1", fault.blue_behaviour, contract.blue)
    aws.world.client("ecr").put_image_tag_mutability(
        repositoryName=repository, imageTagMutability="IMMUTABLE"
    )
    green = sample.joins_itself if options.way.self_joining else fault.behaviour
    if not options.build:
        push(images.NEW_TAG, "2", green, contract.green)
        return {"image": f"{repository}:{images.NEW_TAG}"}
    aws.builds.commits[COMMIT] = lambda tag: push(tag, "2", green, contract.green).partition("@")[2]
    source = urlsplit(configuration.build.repository).path.strip("/").removesuffix(".git")
    return {"source": {"repository": source, "commit": COMMIT[:12]}}


def start_database(world: World, configuration: Configuration) -> Database:
    """A server, and the secrets that tell of it."""
    database = Database(world, world.block.database)
    database.start()
    names = configuration.database
    for name, access in (
        (names.secret, database.secret()),
        (names.reader_secret, database.reader_secret()),
    ):
        if name:
            world.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(access))
    return database
