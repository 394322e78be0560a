"""What the API server did and used meanwhile: less shaken by the neighbours than any latency."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from support.control_plane import Address

_REQUESTS = re.compile(r"^apiserver_request_total\{(?P<labels>[^}]*)\} (?P<count>\S+)$", re.M)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_OURS = frozenset(
    ["executions", "agents", "controllerrevisions", "secrets", "jobs", "pods", "events"]
)


@dataclass
class ServerUse:
    """CPU seconds and requests of one API server since this object was made."""

    address: Address
    _cpu: float = field(init=False)
    _requests: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._cpu, self._requests = _cpu_seconds(self.address), _count_requests(self.address)

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self.address) - self._cpu

    def requests(self) -> Counter[str]:
        """By verb and resource, those that end; watches never do."""
        return Counter(_count_requests(self.address)) - Counter(self._requests)


def per_run(requests: Counter[str], runs: int) -> str:
    """Requests of one run, most frequent first; what 19 of 20 runs do without is left out."""
    return ", ".join(
        f"{count / runs:.2f} {name}"
        for name, count in requests.most_common()
        if count / runs >= 0.05
    )


def _count_requests(address: Address) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for match in _REQUESTS.finditer(address.kubectl("get", "--raw", "/metrics")):
        labels = dict(_LABEL.findall(match["labels"]))
        if labels["resource"] in _OURS and labels["verb"] not in ("WATCH", "CONNECT"):
            part = f"/{labels['subresource']}" if labels["subresource"] else ""
            found[f"{labels['verb']} {labels['resource']}{part}"] += int(float(match["count"]))
    return found


def _cpu_seconds(address: Address) -> float:
    port = f"--secure-port={address.url.rsplit(':', 1)[1]}"
    for child in psutil.Process().children():
        if port in child.cmdline():
            times = child.cpu_times()
            return float(times.user + times.system)
    raise LookupError(f"no API server of ours at {address.url}")
