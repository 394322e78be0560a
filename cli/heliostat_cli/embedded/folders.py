"""Where the embedded world keeps what: one state folder, readable by its owner only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StateFolder:
    """The layout of a state folder."""

    root: Path

    @property
    def world_file(self) -> Path:
        """SQLite: all resources and the log of their changes."""
        return self.root / "world.sqlite"

    @property
    def host_lock(self) -> Path:
        """Locked by the process that reconciles."""
        return self.root / "host.lock"

    @property
    def gateway(self) -> Path:
        """The gateway's ledger and revocations."""
        return self.root / "gateway"

    @property
    def gateway_port(self) -> Path:
        """The port that the gateway comes back on."""
        return self.root / "gateway.port"

    @property
    def documents_file(self) -> Path:
        """SQLite: what the api recorded."""
        return self.root / "documents.sqlite"

    @property
    def events_file(self) -> Path:
        """SQLite: the event log of the dashboard."""
        return self.root / "events.sqlite"

    @property
    def session_key(self) -> Path:
        """Signs the dashboard's sessions."""
        return self.root / "session.key"

    @property
    def public_keys(self) -> Path:
        """PEM files of the keys that the gateway trusts."""
        return self.root / "keys"

    @property
    def api_key(self) -> Path:
        """The api's private key, with which it speaks to the gateway."""
        return self.root / "api.pem"

    @property
    def api_keys(self) -> Path:
        """PEM file of its public half."""
        return self.root / "api-keys"

    @property
    def pods(self) -> Path:
        """One folder a pod, by uid."""
        return self.root / "pods"

    def pod(self, uid: str) -> Path:
        return self.pods / uid

    @property
    def claims(self) -> Path:
        """One folder a PersistentVolumeClaim, by uid."""
        return self.root / "claims"

    def claim(self, uid: str) -> Path:
        return self.claims / uid


DEV_FOLDER = ".heliostat"
"""Where `heliostat dev` keeps what is made in a folder."""


def default_folder(environ: Mapping[str, str], here: Path) -> StateFolder:
    """$HELIOSTAT_HOME, else that of a `heliostat dev` in `here`, else the user's own."""
    dev = StateFolder(here.absolute() / DEV_FOLDER)
    is_chosen = bool(environ.get("HELIOSTAT_HOME"))
    return dev if not is_chosen and dev.world_file.is_file() else own_folder(environ)


def own_folder(environ: Mapping[str, str]) -> StateFolder:
    """$HELIOSTAT_HOME, else `heliostat` in the user's state folder."""
    if chosen := environ.get("HELIOSTAT_HOME"):
        return StateFolder(Path(chosen).absolute())
    state = environ.get("XDG_STATE_HOME")
    parent = Path(state) if state else Path.home() / ".local" / "state"
    return StateFolder(parent / "heliostat")
