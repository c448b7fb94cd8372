"""All looks, as many at a time as helps: first what has a name, then what the first ones name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import ParamSpec, TypeVar

from quorumshift.adapters.aws.asking import Account
from quorumshift.adapters.aws.doctor import (
    balancing,
    belongings,
    codedeploy,
    ecs,
    functions,
    network,
    questions,
    roles,
)
from quorumshift.adapters.aws.doctor.looking import Clients
from quorumshift.adapters.aws.observe_function import ObserveFunction
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Facts, Identity
from quorumshift.domain.doctor.finding import Look, because
from quorumshift.domain.doctor.network_facts import NetworkFacts

K = TypeVar("K")
T = TypeVar("T")
P = ParamSpec("P")

WORKERS = 12


def gather(account: Account, observe: ObserveFunction, expected: Expected) -> Facts:
    """Everything that can be told. Raises nothing that AWS says: each look keeps its own failure.

    Who does not know which account it asks, asks nothing else.
    """
    clients = Clients(account)
    identity = belongings.identity(clients)
    if identity.value is None:
        return Facts(identity=identity)
    pool = ThreadPoolExecutor(WORKERS)
    try:
        gathering = _Gathering(pool, clients, expected, identity.value)
        return gathering.last(gathering.second(gathering.first(observe), observe))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # what was interrupted is not waited for


class _Gathering:
    """Three rounds, each of looks that need nothing of each other."""

    def __init__(
        self, pool: ThreadPoolExecutor, clients: Clients, expected: Expected, identity: Identity
    ) -> None:
        self._pool = pool
        self._clients = clients
        self._expected = expected
        self._identity = identity

    def first(self, observe: ObserveFunction) -> Facts:
        """What the configuration names."""
        clients, expected, ask = self._clients, self._expected, self._ask
        cluster = ask(ecs.cluster, clients, expected)
        service = ask(ecs.service, clients, expected)
        active = ask(functions.under_way, observe)
        balancer = ask(balancing.balancer, clients, expected)
        targets = ask(balancing.targets, clients, expected)
        application = ask(codedeploy.application, clients, expected)
        group = ask(codedeploy.group, clients, expected)
        of_functions = {name: ask(functions.function, clients, name) for name in expected.functions}
        of_machines = {
            name: ask(functions.machine, clients, self._arn("states", f"stateMachine:{name}"))
            for name in expected.machines
        }
        of_secrets = {
            name: ask(belongings.secret, clients, name)
            for name in (*expected.generated, *expected.given)
        }
        of_quotas = {
            name: ask(belongings.quota, clients, name)
            for name, weight in sorted(expected.providers.items())
            if weight
        }
        unreserved = ask(functions.unreserved, clients) if expected.reserved else None
        bootstrap = ask(belongings.bootstrap, clients)
        github = ask(belongings.github, clients) if expected.github else None
        repository = ask(belongings.repository, clients, expected)
        image = ask(belongings.image, clients, expected.repository, None, expected.image_tag)
        project = ask(belongings.project, clients, expected) if expected.build else None
        topic = ask(belongings.topic, clients, self._arn("sns", expected.topic))
        schedule = ask(belongings.schedule, clients, expected) if expected.fires else None
        return Facts(
            identity=Look(self._identity),
            bootstrap=bootstrap.result(),
            github=github.result() if github else Look(),
            cluster=cluster.result(),
            service=service.result(),
            balancer=balancer.result(),
            targets=targets.result(),
            application=application.result(),
            group=group.result(),
            active=active.result(),
            functions=_all(of_functions),
            machines=_all(of_machines),
            repository=repository.result(),
            first_image=image.result(),
            project=project.result() if project else Look(),
            secrets=_all(of_secrets),
            topic=topic.result(),
            schedule=schedule.result() if schedule else Look(),
            quota=_all(of_quotas),
            unreserved=unreserved.result() if unreserved else Look(),
        )

    def second(self, facts: Facts, observe: ObserveFunction) -> Facts:
        """What those name."""
        clients, ask = self._clients, self._ask
        definition = ask(ecs.definition, clients, facts.service)
        listeners = ask(balancing.listeners, clients, facts.balancer)
        alarms = ask(codedeploy.alarms, clients, facts.group)
        placed = ask(self._network, facts)
        seen = ask(functions.seen, observe, facts.active.value or "")
        look, failed = seen.result()
        return replace(
            facts,
            definition=definition.result(),
            listeners=listeners.result(),
            alarms=alarms.result(),
            network=placed.result(),
            seen=look,
            failed=failed,
        )

    def last(self, facts: Facts) -> Facts:
        """What the task definition names."""
        clients, ask, adopted = self._clients, self._ask, self._expected.adopted
        definition, group = facts.definition.value, facts.group.value
        arns = {
            "task": definition.task_role if definition else adopted.task_role,
            "execution": definition.execution_role if definition else adopted.execution_role,
            "deployment": group.role if group else "",
        }
        held = {kind: ask(roles.role, clients, arn) for kind, arn in arns.items() if arn}
        asked = self._questions(facts)
        denied = {
            kind: ask(roles.denied, clients, arn, some)
            for kind, (arn, some) in asked.items()
            if arn and some
        }
        image = ask(self._live_image, facts)
        return replace(facts, roles=_all(held), denied=_all(denied), live_image=image.result())

    def _ask(self, question: Callable[P, T], *given: P.args, **named: P.kwargs) -> Future[T]:
        return self._pool.submit(question, *given, **named)

    def _arn(self, service: str, what: str) -> str:
        return questions.arn(self._identity, service, what)

    def _network(self, facts: Facts) -> NetworkFacts:
        adopted = self._expected.adopted
        service = facts.service.value
        placements = [one.placement for one in service.sets] if service else []
        if facts.balancer.value:
            placements.append(facts.balancer.value.placement)
        observe = facts.functions[self._expected.observe].value
        if observe and observe.placement:
            placements.append(observe.placement)
        return network.network(
            self._clients, adopted.vpc, placements, adopted.subnets, adopted.groups
        )

    def _questions(self, facts: Facts) -> Mapping[str, tuple[str, tuple[roles.Question, ...]]]:
        """Kind → the role's ARN, and what it must be allowed."""
        definition, group = facts.definition.value, facts.group.value
        if definition is None:
            return {}
        registers = facts.functions[self._expected.registers].value
        some = questions.of_execution(self._identity, self._expected, definition)
        found = {"execution": (definition.execution_role, some)}
        if registers is not None:
            found["register"] = (registers.role, questions.of_registering(definition))
        if group is not None:
            every = questions.of_deployment(self._identity, self._expected, group, definition)
            found["deployment"] = (group.role, every)
        return found

    def _live_image(self, facts: Facts) -> Look[str]:
        if facts.definition.value is None:
            return Look()
        image = questions.live_image(
            self._identity, facts.definition.value, self._expected.container
        )
        if image is None:
            return Look(unknown=because("it does not come from this region's ECR"))
        account, repository, which = image
        return belongings.image(self._clients, repository, account, which)


def _all(asked: Mapping[K, Future[T]]) -> dict[K, T]:
    return {key: one.result() for key, one in asked.items()}
