"""*previous* is what was deployed well before what serves, however often that was deployed."""

from __future__ import annotations

import pytest

from quorumshift.domain.previous import Deployed, previous

FIFTY = [Deployed(9, 9)] * 50


@pytest.mark.parametrize(
    ("serving", "deployed", "found"),
    [
        (9, [Deployed(9, 7), Deployed(7, 1)], 7),  # 8 was rolled back, so it is not among them
        (9, [*FIFTY, Deployed(9, 7), Deployed(7, 1)], 7),
        (9, [*[Deployed(9)] * 50, Deployed(9), Deployed(7)], 7),  # marks that tell less
        (2, [Deployed(2, 1)], 1),  # the first that was ever deployed, over what was there
        (7, [Deployed(7, 9), Deployed(9, 7)], 9),  # a way back can be undone
        (7, [Deployed(9, 7), Deployed(7, 1)], 9),  # somebody else brought 7 back
        (9, [*FIFTY], None),
        (9, [], None),
    ],
)
def test_what_served_before(serving: int, deployed: list[Deployed], found: int | None) -> None:
    assert previous(serving, deployed) == found
