#!/bin/sh
# Prepares .venv for the dependency groups named as arguments, bringing uv along where it is missing.
# Everything it prints goes to standard error, so that standard output stays the command's own.
set -eu
exec >&2
cd "$(dirname "$0")/.."

if [ "$(uname -s) $(uname -m)" != "Linux x86_64" ]; then
    echo "quorumshift: rehearsals and tests run on Linux x86-64 only; this is $(uname -s) $(uname -m)."
    exit 1
fi
if ! command -v python3 >/dev/null; then
    echo "quorumshift: Python 3.11 or newer is needed, and there is no python3 on the PATH."
    exit 1
fi
python3 - <<'PYTHON'
import platform, sys
if sys.version_info < (3, 11):
    sys.exit("quorumshift: Python 3.11 or newer is needed; python3 is %s." % platform.python_version())
if platform.libc_ver()[0] != "glibc":
    sys.exit("quorumshift: a Linux with glibc is needed; this one has another C library.")
PYTHON

uv=.tools/uv
if [ ! -x "$uv" ]; then
    # A uv on the PATH is used when it is at least as new as the one that wrote the lock.
    if command -v uv >/dev/null && python3 scripts/get_uv.py --accepts "$(uv --version)"; then
        uv=$(command -v uv)
    else
        echo "quorumshift: fetching uv"
        python3 scripts/get_uv.py "$uv"
    fi
fi

# The environment that is there is kept: uv would make it anew, without the other targets' groups,
# for an interpreter that is named by another path (a shim, a link) than last time.
python=.venv/bin/python
if ! "$python" -c "" 2>/dev/null; then
    python=$(python3 -c 'import sys; print(sys.executable)')
fi

groups=""
for group in "$@"; do groups="$groups --group $group"; done
# --inexact: another target's groups may be installed already, and stay.
# shellcheck disable=SC2086 # the groups are words of ours
UV_PYTHON_DOWNLOADS=never exec "$uv" sync --quiet --locked --inexact --no-default-groups \
    --python "$python" $groups
