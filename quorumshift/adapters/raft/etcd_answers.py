"""What etcd's answer to a change means: done, no, not yet, or ask another node.

The texts are those of etcd's ``api/v3rpc/rpctypes/error.go``; its status codes alone do not tell
*no* from *not yet*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorumshift.adapters.raft.etcd_gateway import Answer
from quorumshift.adapters.raft.etcd_view import read_members
from quorumshift.domain.errors import ChangeRefused, Transient

_LEARNER = "not supported for learner"
_BUSY = 429
_UNCERTAIN = 500
"""From this HTTP status on, etcd may have proposed the change before it failed."""

_NOT_YET = {
    "unhealthy cluster": "etcd changes members only when the voters have been connected for 5 s. "
    "Look again, then repeat the step; if it stays so, find the voter that is not reachable",
    "in sync with leader": "The learner has not started or is still catching up. Look again, then "
    "repeat the step; if it stays so, read that node's log",
    "not enough started members": "A voter has not told its name yet, or never started. Look "
    "again, then repeat the step; if it stays so, start or remove the member without a name",
    "not leader": "Leadership moved meanwhile. Look again, then repeat the step",
}
_NO = {
    "too many learner": "Promote or remove the present learner first",
    "member not found": "The member list has changed. Look again, then plan anew",
    "already exist": "Another member is listed at that address, and is not the node there. Remove "
    "it first",
    "bad leader transferee": "Only a voter can lead. Promote it first",
}
_OTHERWISE = "Read that node's log, then plan anew"


def uncertain(answer: Answer) -> bool:
    """Whether the change may have been made although the answer does not say so."""
    return answer.ok or answer.status >= _UNCERTAIN


def settled(what: str, already: Sequence[str], address: str, answer: Answer) -> bool:
    """Whether the change is made. ``False``: this node could not tell, ask another one.

    ``what``: the change, as a verb; ``already``: the error that means that nothing is left to do.
    Raises ``ChangeRefused`` for a definite *no* and ``Transient`` for a definite *not yet*.
    """
    if answer.ok:
        return _lists_members(answer)
    message = answer.message
    if not message.startswith("etcdserver: ") or _LEARNER in message:
        return False
    seen = f"Cannot {what}: {address} answered {answer}"
    if (advice := _advice(_NOT_YET, message)) is not None:
        raise Transient(f"{seen}. {advice}")
    if any(text in message for text in already):
        return True
    if (advice := _advice(_NO, message)) is not None:
        raise ChangeRefused(f"{seen}. {advice}")
    if answer.status < _UNCERTAIN and answer.status != _BUSY:
        raise ChangeRefused(f"{seen}. {_OTHERWISE}")
    return False


def _lists_members(answer: Answer) -> bool:
    """A change of members is answered with the new list; a transfer with nothing to go by."""
    try:
        return bool(read_members(answer.body))
    except ValueError:
        return False


def _advice(known: Mapping[str, str], message: str) -> str | None:
    return next((advice for text, advice in known.items() if text in message), None)
