"""What a team has before its stack is deployed: images in a repository, and a database."""

from __future__ import annotations

import json

from quorumshift.config import Configuration
from quorumshift.rehearsal import images
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.faults import Fault
from quorumshift.rehearsal.options import Options
from quorumshift.rehearsal.samples import sample_of
from quorumshift.rehearsal.world import World

NEW_TAG = "v2"


def push_images(world: World, configuration: Configuration, options: Options) -> None:
    """Version 1, and version 2 as the fault or the way of deploying has it."""
    sample, contract = sample_of(configuration), options.spoken
    fault = options.fault or Fault("", "nothing")
    green = sample.joins_itself if options.way.self_joining else fault.behaviour
    for tag, version, behaves, speaks in (
        (configuration.service.image_tag, "1", fault.blue_behaviour, contract.blue),
        (NEW_TAG, "2", green, contract.green),
    ):
        images.push(
            world,
            configuration.names.repository,
            tag,
            version=version,
            behaviour=behaves,
            module=sample.module,
            contract=speaks,
        )


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
