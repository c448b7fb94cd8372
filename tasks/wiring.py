"""Builds every client and adapter that the handlers use, once a process and on first use.

Nothing else under ``tasks/`` knows how a thing is made. Clients are botocore's own, from one
session: boto3 would cost each cold start a quarter of a second for nothing. What a thing is made
from is imported where it is made: a function starts without what it does not use, and its package
is without it, too (``infra/imports.py``).
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorumshift.names import HOOKS, kebab
from quorumshift.settings import PREFIX, Settings, evidence_group

if TYPE_CHECKING:
    from quorumshift.adapters.aws.builds import CodeBuilds
    from quorumshift.adapters.aws.client import Client
    from quorumshift.adapters.aws.deployments import CodeDeployDeployments
    from quorumshift.adapters.aws.hand_overs import HandOvers
    from quorumshift.adapters.aws.images import EcrImages
    from quorumshift.adapters.aws.notifier import SnsNotifier
    from quorumshift.adapters.aws.scaling import ServiceScaling
    from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
    from quorumshift.adapters.discovery.ecs import EcsService
    from quorumshift.adapters.slack import SlackNotifier
    from quorumshift.domain.policy import Dialect, Policy
    from quorumshift.ports import Clock, Evidence, HookAnswers, RaftControl, Registry
    from quorumshift.usecases.beginning import Beginning
    from quorumshift.usecases.ending import Ending
    from quorumshift.usecases.hand_over import HandOver
    from quorumshift.usecases.hook_checks import HookChecks
    from quorumshift.usecases.keeping import Keeping
    from quorumshift.usecases.observer import Observer
    from quorumshift.usecases.patience import Patience
    from quorumshift.usecases.serving import Measure
    from quorumshift.usecases.vote_locks import VoteLocks
    from quorumshift.usecases.watching import Watch

_PACKAGE = Path(__file__).resolve().parents[1]


@functools.cache
def _session() -> Any:
    import botocore.session

    return botocore.session.get_session()


@functools.cache
def client(name: str) -> Client:
    """The client of one AWS service; nothing is built before its first operation."""
    from quorumshift.adapters.aws.client import Client
    from quorumshift.adapters.aws.patience import PATIENCE

    return Client(lambda: _session().create_client(name, config=PATIENCE.config()), PATIENCE)


def hook_answers() -> HookAnswers:
    """Answers the deployment engine. Needs no settings, so that a hook can say no without them."""
    from quorumshift.adapters.aws.hook_answers import CodeDeployAnswers

    return CodeDeployAnswers(client("codedeploy"))


def evidence() -> Evidence:
    """Where evidence is kept. Needs the service's name and no other setting."""
    from quorumshift.adapters.aws.evidence import EvidenceLog
    from quorumshift.adapters.clock import SystemClock

    group = evidence_group(os.environ.get(f"{PREFIX}SERVICE", "unknown"))
    return EvidenceLog(client("logs"), group, SystemClock())


def patience(context: object) -> Patience:
    """How long this invocation may wait for AWS. Needs no settings."""
    from quorumshift.adapters.clock import SystemClock
    from quorumshift.usecases.patience import Patience

    return Patience.of(context, SystemClock())


@functools.cache
def wiring() -> Wiring:
    """This process's wiring. Raises ``InvalidConfiguration``."""
    return Wiring(Settings.read(os.environ))


class Wiring:
    """Everything that is made from settings, each thing on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @functools.cached_property
    def clock(self) -> Clock:
        """The time."""
        from quorumshift.adapters.clock import SystemClock

        return SystemClock()

    @property
    def policy(self) -> Policy:
        """What the team asks for."""
        return self.settings.policy

    @functools.cached_property
    def service(self) -> EcsService:
        """The tasks."""
        from quorumshift.adapters.discovery.ecs import EcsService

        settings = self.settings
        return EcsService(client("ecs"), settings.cluster, settings.service, settings.container)

    @functools.cached_property
    def raft(self) -> RaftControl:
        """The cluster."""
        from quorumshift.adapters.raft.control import raft_control

        return raft_control(self.settings, self.registry)

    @property
    def dialect(self) -> Dialect:
        """What the cluster's Raft can do."""
        from quorumshift.adapters.raft.dialects import dialect

        return dialect(self.settings.dialect)

    @functools.cached_property
    def registry(self) -> Registry | None:
        """Where the nodes register themselves; ``None`` where they tell their own ids."""
        settings = self.settings
        if settings.discovery != "postgres":
            return None
        from quorumshift.adapters.aws.database_secret import DatabaseSecret
        from quorumshift.adapters.discovery.postgres import PostgresRegistry

        return PostgresRegistry(
            DatabaseSecret(client("secretsmanager"), settings.database_secret),
            region=settings.database_region,
            port=settings.raft_port,
            tls=settings.database_tls,
            ca_file=_PACKAGE / settings.database_ca if settings.database_ca else None,
        )

    @functools.cached_property
    def observer(self) -> Observer:
        """Looks at both."""
        from quorumshift.usecases.observer import Observer

        return Observer(self.service, self.raft, self.clock, self.policy)

    @functools.cached_property
    def locks(self) -> VoteLocks:
        """The vote locks."""
        from quorumshift.adapters.aws.protection import EcsTaskProtection
        from quorumshift.usecases.vote_locks import VoteLocks

        protection = EcsTaskProtection(client("ecs"), self.settings.cluster, self.clock)
        return VoteLocks(self.observer, protection, self.policy)

    @functools.cached_property
    def deployments(self) -> CodeDeployDeployments:
        """The deployment engine."""
        from quorumshift.adapters.aws.deployments import CodeDeployDeployments

        settings = self.settings
        return CodeDeployDeployments(
            client("codedeploy"),
            settings.application,
            settings.deployment_group,
            target=f"{settings.cluster}:{settings.service}",
            hooks={stage: settings.hook_prefix + kebab(stage) for stage in HOOKS},
            blueprint=lambda: self.service.blueprint(settings.port),
        )

    @functools.cached_property
    def definitions(self) -> EcsTaskDefinitions:
        """Task definition revisions."""
        from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions

        return EcsTaskDefinitions(
            client("ecs"),
            self.settings.family,
            self.settings.container,
            self.service.live,
            self.deployments.ended_well,
        )

    @functools.cached_property
    def images(self) -> EcrImages:
        """Container images."""
        from quorumshift.adapters.aws.images import EcrImages

        return EcrImages(client("ecr"), self.settings.repository, self.settings.allowed)

    @functools.cached_property
    def builds(self) -> CodeBuilds:
        """Builds."""
        from quorumshift.adapters.aws.builds import CodeBuilds

        return CodeBuilds(client("codebuild"), self.settings.project, self.settings.repository)

    @functools.cached_property
    def notifier(self) -> SnsNotifier:
        """Messages to people."""
        from quorumshift.adapters.aws.notifier import SnsNotifier

        return SnsNotifier(client("sns"), self.settings.topic)

    @functools.cached_property
    def slack(self) -> SlackNotifier:
        """Messages to people who read Slack."""
        from quorumshift.adapters.aws.webhook_secret import WebhookSecret
        from quorumshift.adapters.slack import SlackNotifier

        secret = self.settings.slack_secret
        webhook = WebhookSecret(client("secretsmanager"), secret)
        return SlackNotifier(webhook, secret, self.clock)

    @functools.cached_property
    def hand_overs(self) -> HandOvers:
        """Executions of the state machine ``hand_over``."""
        from quorumshift.adapters.aws.hand_overs import HandOvers

        return HandOvers(client("stepfunctions"), self.settings.hand_over)

    @functools.cached_property
    def scaling(self) -> ServiceScaling:
        """The service's automatic scaling."""
        from quorumshift.adapters.aws.scaling import ServiceScaling

        settings = self.settings
        return ServiceScaling(client("application-autoscaling"), settings.cluster, settings.service)

    @functools.cached_property
    def beginning(self) -> Beginning:
        """How deployments begin."""
        from quorumshift.usecases.beginning import Beginning

        return Beginning(self.deployments, self.hand_overs, self.clock)

    @functools.cached_property
    def hand_over(self) -> HandOver:
        """The turns of the hand-over."""
        from quorumshift.usecases.hand_over import HandOver

        return HandOver(
            self.observer, self.raft, self.locks, self.deployments, self.clock, self.policy
        )

    @functools.cached_property
    def watch(self) -> Watch:
        """Follows a deployment."""
        from quorumshift.adapters.aws.alarms import GroupAlarms
        from quorumshift.usecases.watching import Watch

        settings = self.settings
        alarms = GroupAlarms(
            client("codedeploy"),
            client("cloudwatch"),
            settings.application,
            settings.deployment_group,
        )
        return Watch(
            observer=self.observer,
            locks=self.locks,
            deployments=self.deployments,
            green=self.service,
            alarms=alarms,
            evidence=evidence(),
            hand_overs=self.hand_overs,
            clock=self.clock,
            policy=self.policy,
        )

    @functools.cached_property
    def ending(self) -> Ending:
        """How executions end."""
        from quorumshift.usecases.ending import Ending

        return Ending(self.observer, self.locks, self.deployments, self.scaling, self.builds)

    @functools.cached_property
    def measure(self) -> Measure:
        """Measures who serves."""
        from quorumshift.adapters.aws.listener_route import ProductionListener
        from quorumshift.usecases.serving import Measure

        route = ProductionListener(client("elbv2"), self.settings.listener)
        return Measure(route, self.service, self.clock)

    @functools.cached_property
    def keeping(self) -> Keeping:
        """The keeper."""
        from quorumshift.adapters.aws.followers import Followers
        from quorumshift.adapters.aws.told import ToldOnce
        from quorumshift.usecases.keeping import Keeping
        from quorumshift.usecases.reconciling import Reconciling

        steps, settings = client("stepfunctions"), self.settings
        return Keeping(
            observer=self.observer,
            locks=self.locks,
            deployments=self.deployments,
            hand_overs=self.hand_overs,
            followers=Followers(steps, settings.deploy, self.clock),
            answers=hook_answers(),
            evidence=evidence,
            ending=self.ending,
            scaling=self.scaling,
            reconciling=Reconciling(self.hand_over, self.hand_overs, self.dialect, self.policy),
            told=ToldOnce(client("logs"), evidence_group(settings.service)),
            clock=self.clock,
            policy=self.policy,
            follow=settings.reconcile == "on",
        )

    @functools.cached_property
    def checks(self) -> HookChecks:
        """What the hooks check."""
        from quorumshift.adapters.aws.listener_route import ListenerRoute
        from quorumshift.adapters.http_probe import HttpProbe
        from quorumshift.usecases.hook_checks import Addresses, HookChecks

        settings = self.settings
        return HookChecks(
            observer=self.observer,
            locks=self.locks,
            discovery=self.service,
            green=self.service,
            deployments=self.deployments,
            definitions=self.definitions,
            images=self.images,
            probe=HttpProbe(host=self.settings.host),
            route=ListenerRoute(client("elbv2"), settings.listener, settings.test_url),
            clock=self.clock,
            policy=self.policy,
            addresses=Addresses(
                health_url=settings.health_url,
                test_url=settings.test_url,
                trial_path=settings.trial_path,
                websocket_path=settings.websocket_path,
            ),
        )
