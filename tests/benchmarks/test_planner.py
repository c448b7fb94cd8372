"""The benchmark of the planner plays a whole hand-over, and ill ones."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.planner import VOTERS, journey, start, with_one_silent
from quorumshift.domain.raft import Colour


def test_the_way_leads_from_blue_to_green_in_steps_of_one_voter() -> None:
    way = journey(VOTERS)
    assert way[0] == start(VOTERS)
    assert {node.colour for node in way[0].voters} == {Colour.BLUE}
    assert {node.colour for node in way[-1].voters} == {Colour.GREEN}
    sizes = [len(seen.voters) for seen in way]
    assert max(abs(one - other) for one, other in pairwise(sizes)) == 1
    assert sizes[0] == sizes[-1] == VOTERS


def test_any_voter_but_the_leader_falls_silent() -> None:
    ill = with_one_silent(start(3))
    assert [[n.address for n in seen.voters if n.report is None] for seen in ill] == [
        ["10.0.0.1"],
        ["10.0.0.2"],
    ]
