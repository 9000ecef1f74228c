"""What Prometheus reads at `/metrics`: counts and times of requests, by what was asked for and how it ended.

No label ever holds a part of a request: each has a closed list of values, so nobody's name, id, query or company
gets in. Anybody who reaches the port may read it, as with `/healthz`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from scim2_models import SCIMException
from scim2_server.applications.base import BaseApplication
from scim2_server.routing import match
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own variable: the folder in which several processes keep their counts."""

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
RESOURCES = ("Users", "Groups")
UNCOUNTED = ("/healthz", "/readyz", "/metrics")


class Metrics:
    """The counts of one application, and of its sister processes where :data:`SHARED` names a folder."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("operation", "resource")
        self.requests = Counter(
            "scimops_requests", "Requests by operation and class of status.", (*labels, "status"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "scimops_request_seconds", "How long requests took.", labels, buckets=BUCKETS, registry=self.registry
        )

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request; status 0 is one whose client went away before the answer."""
        operation, resource = what(method, path)
        self.requests.labels(operation, resource, f"{status // 100}xx" if status else "none").inc()
        self.seconds.labels(operation, resource).observe(seconds)

    def answer(self, _: Request) -> Response:
        """`GET /metrics`."""
        registry = self.registry
        if os.environ.get(SHARED):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Measured:
    """An ASGI application, measured."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count it."""
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception:
            status = status or 500
            raise
        finally:
            self.metrics.count(scope["method"], scope["path"], status, time.perf_counter() - began)


def what(method: str, path: str) -> tuple[str, str]:
    """Operation and resource type of a request, both from closed lists; `other` for what is no SCIM request."""
    area, _, rest = path.lstrip("/").partition("/")
    if area in ("api", "connect"):
        return "management", "none"
    if area != "scim":
        return "other", "none"
    try:
        target = match(method, BaseApplication.split_path(f"/{rest}"))
    except SCIMException:
        return "other", "none"
    return target.operation.value, target.endpoint if target.endpoint in RESOURCES else "none"


@contextmanager
def counted_together(workers: int) -> Iterator[None]:
    """Have `workers` processes, started inside, count in one folder, which is gone afterwards."""
    environment: Any = os.environ
    before = environment.pop(SHARED, None)
    try:
        if workers == 1:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="scimops-metrics-") as folder:
            environment[SHARED] = folder
            yield
    finally:
        environment.pop(SHARED, None)
        if before is not None:
            environment[SHARED] = before
