"""What must be there before the stacks are, and what else belongs to a service."""

from __future__ import annotations

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Definition, Facts
from quorumshift.domain.doctor.finding import Group, Ledger, because, listed
from quorumshift.domain.doctor.stage import Stage
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.images import as_pulled, is_allowed, is_own, repository

LEAST_BOOTSTRAP = 6
"""What the CDK's stack synthesizer asks for (AWS CDK, ``DefaultStackSynthesizer``)."""
UNITS = 1024
"""Of ``cpu`` in one vCPU."""
LEAST_UNRESERVED = 100
"""Concurrent executions that nobody may reserve (AWS Lambda Developer Guide, "Configuring reserved
concurrency for a function")."""


def configuration(expected: Expected) -> Group:
    """Whoever gets here has read the file, and every rule for it holds."""
    ledger = Ledger("configuration")
    ledger.ok("file", expected.file)
    if expected.adopted.named:
        ledger.ok("[adopt]", f"{listed(expected.adopted.named)}: looked for below")
    return ledger.group()


def account(expected: Expected, facts: Facts) -> Group:
    """Who asks, and what an account needs once."""
    ledger = Ledger("account")
    identity = facts.identity.value
    if identity is None:
        fix = "log in (`aws sso login`), or give --profile and --region"
        ledger.ng("who am I", facts.identity.unknown, fix)
        return ledger.group()
    ledger.ok("who am I", f"{identity.arn} in account {identity.account}")
    ledger.ok("region", identity.region)
    fix = f"npx aws-cdk bootstrap aws://{identity.account}/{identity.region}"
    version = ledger.found(facts.bootstrap, "CDK bootstrap", "not done here", fix)
    if version is not None:
        enough = version.isdigit() and int(version) >= LEAST_BOOTSTRAP
        ledger.that(enough, "CDK bootstrap", f"version {version}", fix)
    if expected.github:
        name = "GitHub's identity provider"
        fix = (
            "aws iam create-open-id-connect-provider --url "
            "https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com"
        )
        if ledger.found(facts.github, name, "not registered with IAM", fix) is not None:
            ledger.ok(name, f"registered; jobs of {expected.github} may deploy")
    return ledger.group()


def images(expected: Expected, facts: Facts) -> Group:
    """The repository, and the images that are needed."""
    ledger = Ledger("images")
    name, tag = expected.repository, expected.image_tag
    fix = f"aws ecr create-repository --repository-name {name} --image-tag-mutability IMMUTABLE"
    found = ledger.found(facts.repository, "repository", f"there is no {name}", fix)
    if found is None:
        why = because("the repository is not known")
        ledger.skip(why, "tags", "first image", "image that serves", "image is allowed")
        return ledger.group()
    ledger.ok("repository", found.uri)
    ledger.that(
        found.immutable,
        "tags",
        "immutable" if found.immutable else "mutable",
        "else a tag may mean another image tomorrow: aws ecr put-image-tag-mutability "
        f"--repository-name {name} --image-tag-mutability IMMUTABLE",
    )
    live = facts.live_image
    needed = facts.service.value is None
    if facts.first_image.absent and not needed:
        why = f"{tag} is gone, and only a new stack would need it (service.image_tag)"
        ledger.skip(why, "first image")
    else:
        fix = f"push {found.uri}:{tag}, or correct service.image_tag"
        digest = ledger.found(facts.first_image, "first image", f"there is no tag {tag}", fix)
        if digest is not None:
            ledger.ok("first image", f"{tag} is {digest}")
    if facts.definition.value is None:
        ledger.skip(
            because("no task definition serves, or none could be read"),
            "image that serves",
            "image is allowed",
        )
    else:
        fix = "push it again, or deploy another: a task that is replaced could not be started"
        digest = ledger.found(live, "image that serves", "it is not in the repository", fix)
        if digest is not None:
            ledger.ok("image that serves", digest)
        _allowed(ledger, expected, facts.definition.value, found.uri)
    return ledger.group()


def _allowed(ledger: Ledger, expected: Expected, definition: Definition, own: str) -> None:
    """Whether the image that serves may be deployed again, as the canary does, or a roll-back."""
    name, containers = "image is allowed", definition.containers
    image = next((one.image for one in containers if one.name == expected.container), None)
    if image is None:
        ledger.skip(because(f"there is no container {expected.container}"), name)
        return
    pin = "register and deploy a revision that names it with its digest, @sha256:…"
    try:
        asked = as_pulled(image)
    except InvalidRequest as error:
        ledger.ng(name, str(error), pin)
        return
    where, pinned = repository(asked), bool(asked.digest) or is_own(asked, own)
    if not is_allowed(asked, own, expected.images_allow):
        seen = (
            f"it is of {where}: to deploy it again, as the canary or a roll-back does, is refused"
        )
        fix = f'say [images] allow = ["{where}"] in {expected.file} and deploy the stack'
        ledger.ng(name, seen, fix if pinned else f"{fix}; and {pin}")
    else:
        seen = f"it is of {where}" + ("" if pinned else ", where its tag cannot be looked up")
        ledger.that(pinned, name, seen, pin)


def build(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The project that builds images."""
    ledger = Ledger("build")
    if not expected.build:
        ledger.skip("nothing is built: [build] names no repository", "project")
        return ledger.group()
    fix = "deploy the stack again (cdk deploy)"
    missing = f"there is no {expected.project}"
    source = ledger.found(facts.project, "project", missing, fix, stage.deployment)
    if source is not None:
        ledger.that(
            source.removesuffix(".git") == expected.build.removesuffix(".git"),
            "project",
            f"{expected.project} builds {source or 'nothing'}",
            f"build.repository is {expected.build}: correct it, or deploy the stack again",
        )
    return ledger.group()


def secrets(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """Whether they are there; what they say is never asked."""
    ledger = Ledger("secrets")
    for name, look in facts.secrets.items():
        label = name.rpartition(":secret:")[2] or name
        made = name in expected.generated
        fix = (
            "deploy the stack again"
            if made
            else f"make it: aws secretsmanager create-secret --name {label}, or correct its name"
        )
        usable = ledger.found(look, label, "it is not there", fix, stage.service if made else "")
        if usable is not None:
            ledger.that(
                usable,
                label,
                "there; its value was not read" if usable else "it is scheduled for deletion",
                f"aws secretsmanager restore-secret --secret-id {label}",
            )
    if not facts.secrets:
        ledger.skip("the configuration names none", "secrets")
    return ledger.group()


def database(expected: Expected, facts: Facts) -> Group:
    """What can be told of it without the secret's value and from outside the VPC."""
    ledger = Ledger("database")
    if not expected.database:
        ledger.skip("the configuration has none", "connection")
    elif facts.seen.value is not None:
        ledger.ok("connection", "the functions read the nodes' table, as the look below shows")
    else:
        ledger.skip(because("only the functions can reach it, and none has looked"), "connection")
    return ledger.group()


def notifications(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """Whether anybody is told."""
    ledger = Ledger("notifications")
    missing, fix = f"there is no {expected.topic}", "deploy the stack again (cdk deploy)"
    topic = ledger.found(facts.topic, "topic", missing, fix, stage.deployment)
    if topic is None:
        ledger.skip(because("the topic is not known"), "subscriptions")
        return ledger.group()
    ledger.ok("topic", expected.topic)
    name, seen = "subscriptions", f"{topic.confirmed} confirmed, {topic.pending} pending"
    if topic.confirmed or topic.pending or expected.email:
        fix = f"confirm it in the mailbox of {expected.email or 'who subscribed'}, or subscribe"
        ledger.that(
            topic.confirmed > 0, name, f"{seen}{'' if topic.confirmed else ': nobody is told'}", fix
        )
    else:
        ledger.skip("none, and notifications.email is empty: nobody is told anything", name)
    return ledger.group()


def schedule(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The canary."""
    ledger = Ledger("schedule")
    if not expected.fires:
        ledger.skip("schedule.enabled is false", "canary")
        return ledger.group()
    fix = "deploy the stack again (cdk deploy)"
    missing = f"there is no {expected.canary}"
    found = ledger.found(facts.schedule, "canary", missing, fix, stage.deployment)
    if found is not None and not found.enabled:
        ledger.skip("turned off, though schedule.enabled is true: somebody let it rest", "canary")
    elif found is not None:
        ledger.ok("canary", found.expression)
    return ledger.group()


def limits(expected: Expected, facts: Facts) -> Group:
    """A deployment runs twice as many tasks for a while. What else runs in the account is not
    counted, so a yes is none for that."""
    ledger = Ledger("limits")
    desired = facts.service.value.desired if facts.service.value else expected.desired
    need = 2 * desired * expected.cpu / UNITS
    for provider, look in facts.quota.items():
        name = f"vCPUs of {provider}"
        if look.value is None:
            ledger.skip(look.unknown or "Service Quotas does not know it here", name)
        else:
            ledger.that(
                look.value >= need,
                name,
                f"{look.value:g} may run at once, a deployment of this service takes {need:g}",
                "ask for more in Service Quotas (AWS Fargate, vCPU resource count)",
            )
    _concurrency(ledger, expected, facts)
    return ledger.group()


def _concurrency(ledger: Ledger, expected: Expected, facts: Facts) -> None:
    name, unreserved = "concurrent executions", facts.unreserved
    if not expected.reserved:
        ledger.skip("functions.reserve is false: all functions share what the account has", name)
    elif unreserved.value is None:
        ledger.skip(unreserved.unknown or "Lambda tells no limit here", name)
    else:
        have = any(facts.functions[hook].value for hook in expected.hooks)
        left = unreserved.value - (0 if have else expected.reserved)
        ledger.that(
            left >= LEAST_UNRESERVED,
            name,
            f"{unreserved.value:,} of the account's are not reserved; hooks and watchdog "
            f"{'have' if have else 'will take'} {expected.reserved} to themselves",
            f"Lambda leaves {LEAST_UNRESERVED} to all others: ask for more in Service Quotas (AWS "
            "Lambda, concurrent executions), or say functions.reserve = false",
        )
