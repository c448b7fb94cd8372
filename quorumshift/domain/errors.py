"""Everything that can go wrong, as one tree.

The class names are what the state machines' ``ErrorEquals`` match, so renaming one is a change of
the workflows' contract.

    QuorumshiftError
    ├── InvalidRequest          the input of an execution; names the key and the fix
    ├── InvalidConfiguration    quorumshift.toml or a function's environment
    ├── MissingResource         something that must exist in the account does not
    ├── DeploymentActive        another deployment of the group is under way
    ├── DeploymentRefused       the deployment engine would not start it
    ├── BuildFailed             the build ended without an image; names phase and log
    ├── ClusterUnsafe           the verdict was *abort*
    ├── ClusterUnsettled        the verdict was still *wait* at its deadline
    ├── TrafficAstray           users are not led to the tasks that were to serve them
    ├── ChangeRefused           Raft or ECS refused one step of a hand-over
    ├── ChecksFailed            a check of green, other than Raft, said no
    ├── ObservationFailed       a person's question how things stand got no answer
    ├── MessageRefused          a message to people will never be taken as it is
    ├── RollbackFailed          the roll-back did not reach its end; a person must look
    └── Transient               worth another try: a lost reply, a throttle, a time-out
"""


class QuorumshiftError(Exception):
    """Base of all errors this product raises on purpose.

    The message says where, what was seen, and what to do next; it never holds a secret.
    """


class InvalidRequest(QuorumshiftError):
    """The input of an execution is not a request."""


class InvalidConfiguration(QuorumshiftError):
    """A configuration file or a function's environment cannot be used."""


class MissingResource(QuorumshiftError):
    """A resource that must exist in the account was not found."""


class DeploymentActive(QuorumshiftError):
    """Another deployment of the same group is under way."""


class DeploymentRefused(QuorumshiftError):
    """The deployment engine refused to start the deployment."""


class BuildFailed(QuorumshiftError):
    """A build ended without an image."""


class ClusterUnsafe(QuorumshiftError):
    """The Raft cluster is not in a state in which the next step is safe."""


class ClusterUnsettled(QuorumshiftError):
    """The Raft cluster did not settle before the deadline."""


class TrafficAstray(QuorumshiftError):
    """The production listener does not lead all users to healthy tasks of the revision that was to
    serve."""


class ChangeRefused(QuorumshiftError):
    """One step of a hand-over was refused by Raft or by ECS."""


class ChecksFailed(QuorumshiftError):
    """A check of the new task set, other than the one of Raft, said no."""


class ObservationFailed(QuorumshiftError):
    """Nobody could tell how the cluster stands."""


class MessageRefused(QuorumshiftError):
    """Whoever should pass a message on to people refused it, and would again."""


class RollbackFailed(QuorumshiftError):
    """A roll-back did not reach its end."""


class Transient(QuorumshiftError):
    """A failure that is worth another try."""
