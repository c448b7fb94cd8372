"""What a node's answer to a change means: done, no, not yet, or ask another node.

The first contract has one reason that is fixed, ``Not the leader``, and its nodes repeat whatever
else was said no to. The extension adds the few that an orchestrator has to tell apart
(``docs/snaketron.md``). They are found in the reason whatever its case; what stands around them is
for people.
"""

from __future__ import annotations

from enum import Enum, auto

from quorumshift.adapters.raft.snaketron.relay import Answer
from quorumshift.domain.errors import ChangeRefused, Transient

NOT_THE_LEADER = "Not the leader"
"""Begins the reason. Nothing was done, ask another node."""
NOT_YET = "Not yet: "
"""Begins the reason. Waiting may help: a learner that catches up, a voter that is not connected,
another change that is under way."""
NO_SUCH_MEMBER = "No such member"
"""The answer to a removal is *yes* all the same."""
TOO_MANY_LEARNERS = "Too many learners"
ONLY_A_VOTER = "Only a voter can lead"

_NO = {
    NO_SUCH_MEMBER: "The member list has changed. Look again, then plan anew",
    TOO_MANY_LEARNERS: "Promote or remove the present learner first",
    ONLY_A_VOTER: "Promote it first",
}
_WAIT = "Look again, then repeat the step; if it stays so, read that node's log"
_OTHERWISE = "Read that node's log, then plan anew"


class Meaning(Enum):
    """``ELSEWHERE``: this node cannot tell, ask another one. ``UNKNOWN``: see whether the change
    was made before."""

    DONE = auto()
    ELSEWHERE = auto()
    UNKNOWN = auto()


def settled(what: str, address: str, answer: Answer, *, already: str = "") -> Meaning:
    """What the answer means. ``what``: the change, as a verb; ``already``: the reason that means
    that nothing is left to do.

    Raises ``ChangeRefused`` for a definite *no* and ``Transient`` for a definite *not yet*.
    """
    if answer.made:
        return Meaning.DONE
    reason = answer.reason.strip().casefold()
    if reason.startswith(NOT_THE_LEADER.casefold()):
        return Meaning.ELSEWHERE
    if reason.startswith(NOT_YET.strip().casefold()):
        raise Transient(f"{_seen(what, address, answer)}. {_WAIT}")
    if already and already.casefold() in reason:
        return Meaning.DONE
    for text, advice in _NO.items():
        if text.casefold() in reason:
            raise ChangeRefused(f"{_seen(what, address, answer)}. {advice}")
    return Meaning.UNKNOWN


def unclear(what: str, address: str, answer: Answer, *, repeat: bool) -> ChangeRefused | Transient:
    """The error for a reason that says nothing to us. ``repeat``: nodes repeat this change
    themselves, so it is *not yet*."""
    if repeat:
        return Transient(f"{_seen(what, address, answer)}. {_WAIT}")
    return ChangeRefused(f"{_seen(what, address, answer)}. {_OTHERWISE}")


def _seen(what: str, address: str, answer: Answer) -> str:
    return f"Cannot {what}: {address} answered {answer}"
