"""What tests of ingest share: keys of attempts, and who hears of them."""

from datetime import UTC, datetime
from pathlib import Path

from heliostat_core.keys import (
    ExecutionClaims,
    execution_claims,
    new_private_key,
    public_pem,
    sign_execution_key,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make_claims(
    uid: str, *, attempt: int = 1, issued: datetime = NOW, seconds: int = 3600
) -> ExecutionClaims:
    return execution_claims(
        namespace="default",
        execution="sales-1",
        execution_uid=uid,
        attempt=attempt,
        agent="sales",
        cap_nanos=None,
        cap_tokens=None,
        correlation_id="c-1",
        issued=int(issued.timestamp()),
        expires=int(issued.timestamp()) + seconds,
    )


class Signer:
    """The operator's hand: a key pair, its public half in a folder."""

    def __init__(self, folder: Path) -> None:
        self._private = new_private_key()
        self.folder = folder

    def publish(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "public.pem").write_text(public_pem(self._private))

    def sign(self, claims: ExecutionClaims) -> str:
        return sign_execution_key(self._private, claims)


class KnownRuns:
    """Owners of runs: a fixed table."""

    def __init__(self, **audiences: tuple[str, ...]) -> None:
        self._audiences = audiences

    async def audiences_of(self, uid: str) -> tuple[str, ...] | None:
        return self._audiences.get(uid.replace("-", "_"))
