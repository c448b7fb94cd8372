"""Why a change was not made, in the words of the contract.

Those are fixed where an orchestrator has to tell them apart; nodes of the first contract have one
of them alone, and say the rest as their Raft says it.
"""

from __future__ import annotations

NOT_THE_LEADER = "Not the leader"
NOT_YET = "Not yet"
_NO = {
    "too many learner": "Too many learners",
    "member not found": "No such member",
    "bad leader transferee": "Only a voter can lead",
}
"""etcd's texts (its api/v3rpc/rpctypes/error.go) for what waiting does not change."""


def in_words(error: Exception) -> str:
    """What etcd said, behind the word for it. All but a definite *no* may be otherwise soon."""
    said = str(error)
    word = next((word for text, word in _NO.items() if text in said), NOT_YET)
    return f"{word}: {said}"
