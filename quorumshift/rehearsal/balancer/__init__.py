"""The rehearsal's load balancer: a process of its own that does what an Application Load Balancer
does for one service, on loopback.

Where AWS documents a behaviour it is kept: weights a request, round robin among healthy targets,
sticky cookies, fail-open, draining, the status codes 502, 503 and 504. Where it is silent, or
where this one is kinder, the module that decides says so.
"""
