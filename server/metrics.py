"""What Prometheus is told, counted elsewhere and put together when it asks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.errors import EligeError, Unavailable
from server.store.front import Front


class Figures(Collector):
    """Of one server. `committed`: how many records of each kind it has acknowledged."""

    def __init__(self, front: Front, committed: Mapping[str, int], *, clock: Callable[[], datetime]) -> None:
        self._front = front
        self._committed = committed
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        yield _gauge("elige_database_up", "Whether the database answers.", float(self._front.presence.up))
        committed = CounterMetricFamily("elige_committed", "Records acknowledged.", labels=["kind"])
        for kind, count in dict(self._committed).items():
            committed.add_metric([kind], count)
        yield committed
        try:
            backlog = self._front.backlog()
        except EligeError:  # the outbox can't be read: what is not known is not told
            return
        if backlog is None:
            return
        oldest = 0.0 if backlog.oldest is None else max(0.0, (self._clock() - backlog.oldest).total_seconds())
        yield _gauge("elige_outbox_records", "Records that the database does not have yet.", backlog.records)
        yield _gauge("elige_outbox_oldest_seconds", "How long the oldest of them has waited.", oldest)
        yield _gauge("elige_outbox_refused", "Records that the database would not have.", backlog.refused)


@contextmanager
def told(figures: Figures, address: str) -> Iterator[None]:
    """Answer Prometheus at HOST:PORT while the block runs. Raises Unavailable where the address can't be had."""
    registry = CollectorRegistry()
    registry.register(figures)
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), addr=host, registry=registry)
    except OSError as error:
        raise Unavailable(f"can't tell metrics on {address}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)
