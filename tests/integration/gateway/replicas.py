"""Two gateways on one Redis and the writer of their ledger, as processes of a test's own."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .gateway_process import GatewayProcess

WRITER = "heliostat_gateway.writer"


@dataclass(frozen=True)
class Replicas:
    """The three processes; the gateways trust the same operator."""

    gateways: list[GatewayProcess]
    writer: GatewayProcess

    async def until_shared(self) -> None:
        """Waits until both gateways share the ledger."""
        for gateway in self.gateways:
            await gateway.until_shared()


@contextmanager
def run_replicas(
    folder: Path, redis_url: str, settings: Mapping[str, str] | None = None
) -> Iterator[Replicas]:
    """Started, the writer first; ended at last, without a traceback in its log."""
    shared = {"REDIS_URL": redis_url, **(settings or {})}
    writer = prepare(folder / "writer")
    with ExitStack() as ends:
        writer.start(WRITER, **shared)
        ends.callback(end_writer, writer)
        gateways = []
        for name in ("one", "two"):
            gateway = prepare(folder / name, writer.private)
            gateway.start(**shared)
            ends.callback(kill, gateway)
            gateways.append(gateway)
        yield Replicas(gateways, writer)


def prepare(folder: Path, private: str = "") -> GatewayProcess:
    """A process that is not started yet; `private` is the operator's key of another one."""
    folder.mkdir(exist_ok=True)
    process = GatewayProcess(folder)
    process.private = private or process.private
    process.write_public_key()
    return process


def kill(gateway: GatewayProcess) -> None:
    """Unless it has ended already."""
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.kill()


def end_writer(writer: GatewayProcess) -> None:
    """It ends well, unless the test ended it."""
    if writer.process is not None and writer.process.poll() is None:
        assert writer.stop() in (0, -15)
    assert "Traceback" not in writer.log.read_text()
