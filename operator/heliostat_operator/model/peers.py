"""Where the neighbours of a run are: pods by namespace and label, or addresses; with a port."""

import re
from dataclasses import dataclass
from ipaddress import ip_network

from heliostat_core.worlds import JsonObject

_PODS = re.compile(
    r"(?P<namespace>[a-z0-9][a-z0-9-]*)(/(?P<key>[^=:,]+)=(?P<value>[^=:,]+))?:(?P<port>[0-9]+)"
)
_ADDRESSES = re.compile(r"(?P<cidr>[0-9a-fA-F.:]+/[0-9]+):(?P<port>[0-9]+)")
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Peer:
    """Pods of a namespace, all or those with a label; or, with `cidr`, addresses."""

    port: int
    namespace: str = ""
    label: tuple[str, str] | None = None
    cidr: str = ""

    def to_json(self) -> JsonObject:
        """As a NetworkPolicy names it."""
        if self.cidr:
            return {"ipBlock": {"cidr": self.cidr}}
        home: JsonObject = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        if self.label is None:
            return {"namespaceSelector": home}
        key, value = self.label
        return {"namespaceSelector": home, "podSelector": {"matchLabels": {key: value}}}


def read_peer(text: str) -> Peer:
    """Raises ValueError that says what it must be."""
    found = _ADDRESSES.fullmatch(text) or _PODS.fullmatch(text)
    port = int(found["port"]) if found else 0
    if found is None or not 0 < port <= _HIGHEST_PORT:
        raise ValueError(
            "must be NAMESPACE:PORT, NAMESPACE/LABEL=VALUE:PORT or CIDR:PORT, for example "
            "heliostat-system/app.kubernetes.io/name=heliostat-gateway:8081"
        )
    parts = found.groupdict()
    if "cidr" in parts:
        return Peer(port, cidr=str(ip_network(parts["cidr"], strict=False)))
    label = (parts["key"], parts["value"]) if parts["key"] else None
    return Peer(port, parts["namespace"], label)


def check_peer(text: str) -> str:
    """The same text. Raises ValueError that says what it must be."""
    read_peer(text)
    return text


def read_peers(texts: tuple[str, ...]) -> tuple[Peer, ...]:
    """Of a setting that was checked."""
    return tuple(map(read_peer, texts))
