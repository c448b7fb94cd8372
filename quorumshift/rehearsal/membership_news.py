"""Says what changes in the Raft cluster, as an outsider sees it, for whoever watches."""

from __future__ import annotations

import threading

from quorumshift.domain.raft import Standing, quorum
from quorumshift.rehearsal.observer import Observer, ObserverSnapshot
from quorumshift.rehearsal.reporting import ReporterFailed
from quorumshift.rehearsal.world import World

EVERY_SECONDS = 0.2


def tell_membership(world: World, observer: Observer) -> None:
    """Compare one look with the next in a thread, until the rehearsal stops."""

    def run() -> None:
        before: ObserverSnapshot | None = None
        while not world.stopping.wait(EVERY_SECONDS):
            try:
                now = observer.snapshot()
            except ReporterFailed:
                return  # it was finished, or whoever asks it for the result will say why not
            for text in changes(before, now):
                world.events.say("raft", text)
            before = now

    threading.Thread(target=run, name="membership", daemon=True).start()


def changes(before: ObserverSnapshot | None, now: ObserverSnapshot) -> list[str]:
    """One sentence for each node whose standing changed, for a quorum lost or found again, and
    for a new leader."""
    old = {member.address: member.standing for member in before.members} if before else {}
    new = {member.address: member.standing for member in now.members}
    texts = []
    for address in sorted(old.keys() | new.keys()):
        was = old.get(address, Standing.OUTSIDE)
        is_now = new.get(address, Standing.OUTSIDE)
        if was is not is_now:
            texts.append(f"{address}: {was.value} → {is_now.value}")
    if texts:
        count = sum(standing is Standing.VOTER for standing in new.values())
        texts[-1] += f" ({count} voters)"
    if before and before.has_quorum and not now.has_quorum:
        texts.append(f"the quorum is lost: {_who_stands(now)}")
    elif before and now.has_quorum and not before.has_quorum and now.quorum_lost_seconds:
        texts.append(f"there is a quorum again: {_who_stands(now)}")
    if now.leader and (before is None or now.leader != before.leader):
        texts.append(f"{now.leader} leads in term {now.term}")
    return texts


def _who_stands(now: ObserverSnapshot) -> str:
    voters = [member for member in now.members if member.standing is Standing.VOTER]
    stand = sum(member.answering for member in voters)
    return f"{stand} of {len(voters)} voters answer, {quorum(len(voters))} must"
