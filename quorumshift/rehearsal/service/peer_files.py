"""The files by which relays (service/peer_relay.py) and their master (peer_cuts.py) understand
each other: a folder beside the one file that stands for Cloud Map.

``cuts.json`` says whose peers are cut off; it has a revision, which grows by one a change. Each
relay writes ``<address>.json``: how far it has acted on that, and what it is. ``<address>.etcd``
holds the process id of the node's etcd.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_CUTS = "cuts.json"


@dataclass(frozen=True, slots=True)
class Cuts:
    """``addresses`` reach no peer and are reached by none."""

    revision: int = 0
    addresses: frozenset[str] = frozenset()


class PeerFiles:
    """The folder beside ``instances``, made where there is none."""

    def __init__(self, instances: Path) -> None:
        self._folder = instances.parent / "peers"
        self._folder.mkdir(parents=True, exist_ok=True)

    def cuts(self) -> Cuts:
        """What is cut; nothing, in revision 0, before anything was."""
        try:
            told = json.loads((self._folder / _CUTS).read_bytes())
        except FileNotFoundError:
            return Cuts()
        return Cuts(told["revision"], frozenset(told["cut"]))

    def write_cuts(self, cuts: Cuts) -> None:
        """Replace what is cut; readers see the old or the new, never a part."""
        self._write(_CUTS, {"revision": cuts.revision, "cut": sorted(cuts.addresses)})

    def tell(self, address: str, revision: int, *, slow: bool) -> None:
        """A relay's word that ``revision`` is in force with it."""
        self._write(f"{address}.json", {"revision": revision, "slow": slow})

    def revision_of(self, address: str) -> int | None:
        """How far the relay at ``address`` is; ``None``: it has none, or not yet."""
        told = self._told(address)
        return None if told is None else int(told["revision"])

    def is_slow(self, address: str) -> bool:
        """Whether what goes to the node at ``address`` is to be slowed down."""
        told = self._told(address)
        return told is not None and bool(told["slow"])

    def etcd_file(self, address: str) -> Path:
        """Where the etcd of ``address`` writes its process id before it becomes etcd."""
        return self._folder / f"{address}.etcd"

    def etcds(self) -> dict[str, int]:
        """Address → process id of every etcd that was started behind a relay, or that has been."""
        return {
            each.stem: int(text)
            for each in self._folder.glob("*.etcd")
            if (text := each.read_text())
        }

    def _told(self, address: str) -> dict[str, int | bool] | None:
        try:
            told: dict[str, int | bool] = json.loads(
                (self._folder / f"{address}.json").read_bytes()
            )
        except FileNotFoundError:
            return None
        return told

    def _write(self, name: str, says: object) -> None:
        draft = self._folder / f"{name}.draft"
        draft.write_text(json.dumps(says))
        os.replace(draft, self._folder / name)
