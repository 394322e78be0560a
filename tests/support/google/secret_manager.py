"""A Secret Manager that speaks Google's own gRPC API: labels, versions, rights of each caller."""

import re
from dataclasses import dataclass, field

import grpc
from google.cloud.secretmanager_v1 import types

from support.google.servers import GoogleServer, Method, Refused

HOST = "secretmanager.googleapis.com"
_NUMBER = "1234567890"
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")


@dataclass
class KeptSecret:
    """`readers` may see the labels and the values, as with roles viewer and secretAccessor."""

    labels: dict[str, str]
    readers: set[str]
    versions: list[bytes | None] = field(default_factory=list)
    """By number, from 1; None is a version that was destroyed."""


class FakeSecretManager(GoogleServer):
    """Secrets by their name with the project's id; answers say its number, as Google's do."""

    def __init__(self) -> None:
        self.secrets: dict[str, KeptSecret] = {}
        self.calls: list[tuple[str, str]] = []  # method and name, in order
        super().__init__("google.cloud.secretmanager.v1.SecretManagerService", HOST)
        get, access = types.GetSecretRequest, types.AccessSecretVersionRequest
        self.add("GetSecret", Method(get.deserialize, types.Secret.serialize, self._get))
        self.add(
            "AccessSecretVersion",
            Method(access.deserialize, types.AccessSecretVersionResponse.serialize, self._access),
        )

    def keep(
        self, name: str, *values: str, labels: dict[str, str] | None = None, readers: set[str]
    ) -> KeptSecret:
        """A secret with a version for each value; labels are such as Google takes."""
        for text in (labels or {}).items():
            assert all(_LABEL.fullmatch(each) for each in text), text
        kept = KeptSecret(labels or {}, readers, [each.encode() for each in values])
        self.secrets[name] = kept
        return kept

    def _get(self, caller: str, request: types.GetSecretRequest) -> types.Secret:
        self.calls.append(("GetSecret", request.name))
        kept = self._find(caller, request.name)
        return types.Secret(name=_numbered(request.name), labels=kept.labels)

    def _access(
        self, caller: str, request: types.AccessSecretVersionRequest
    ) -> types.AccessSecretVersionResponse:
        self.calls.append(("AccessSecretVersion", request.name))
        name, _, version = request.name.partition("/versions/")
        kept = self._find(caller, name)
        number = len(kept.versions) if version == "latest" else int(version)
        if not 1 <= number <= len(kept.versions):
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret Version [{request.name}] not found.")
        value = kept.versions[number - 1]
        if value is None:
            words = f"Secret Version [{request.name}] is in DESTROYED state."
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, words)
        return types.AccessSecretVersionResponse(
            name=f"{_numbered(name)}/versions/{number}",
            payload=types.SecretPayload(data=value),
        )

    def _find(self, caller: str, name: str) -> KeptSecret:
        """Google says PERMISSION_DENIED for what is not there, too, to who may not know."""
        project, _, rest = name.removeprefix("projects/").partition("/")
        kept = self.secrets.get(name)
        if kept is None and project == _NUMBER:
            kept = next(
                (each for known, each in self.secrets.items() if known.endswith(f"/{rest}")), None
            )
        if kept is not None and caller in kept.readers:
            return kept
        if kept is None and any(caller in each.readers for each in self.secrets.values()):
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found.")
        raise Refused(grpc.StatusCode.PERMISSION_DENIED, f"Permission denied on {name}.")


def _numbered(name: str) -> str:
    return f"projects/{_NUMBER}/{name.split('/', 2)[2]}"
