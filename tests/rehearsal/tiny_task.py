"""The smallest image: an HTTP server that answers ``/health`` and tells its environment.

Behaviours: ``exit`` ends at once, ``unhealthy`` answers 500. A child process runs beside it, as a
service's database would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from quorumshift.rehearsal.processes import die_with_parent

BEHAVIOUR = os.environ["QUORUMSHIFT_IMAGE_BEHAVIOUR"]


class Handler(BaseHTTPRequestHandler):
    """``GET /health`` and ``GET /environment``."""

    def do_GET(self) -> None:
        body = json.dumps(dict(os.environ)) if self.path == "/environment" else "OK"
        self.send_response(500 if BEHAVIOUR == "unhealthy" else 200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def main() -> None:
    """Serve until killed."""
    die_with_parent()
    if BEHAVIOUR == "exit":
        print("told to exit")
        sys.exit(1)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("child", child.pid)
    server = ThreadingHTTPServer((os.environ["QUORUMSHIFT_TASK_ADDRESS"], 8080), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
