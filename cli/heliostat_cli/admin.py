"""The gateway's /admin as a command asks it: with whose key, and what became of the question."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from pydantic import BaseModel, ValidationError

from heliostat_cli.errors import CliError, UsageError
from heliostat_gateway.access.key_documents import RefusalDocument

ADMIN_KEY: Final = "HELIOSTAT_ADMIN_KEY"
ADMIN_URL: Final = "HELIOSTAT_ADMIN_URL"
_TIMEOUT_SECONDS = 30
_LONGEST_REFUSAL = 20_000
_REMEDIES: Final[Mapping[int, str]] = {
    401: f"{ADMIN_KEY} must hold a key for /admin: one with scope admin, or the owner's own.",
    403: "Ask with a key that has the scope admin.",
    503: "Try again when the gateway is whole; its /readyz says what is away.",
}

Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True)
class Admin:
    """/admin of the gateway at `url`, asked with `key`."""

    url: str
    key: str

    def ask(
        self,
        answer: type[Document],
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: Mapping[str, object] | None = None,
    ) -> Document:
        """The answer of /admin + `path`.

        Raises UsageError for a 400, CliError for every other refusal and for no answer at all.
        """
        request = self._request(path, parameters or {}, method, body)
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:
                return answer.model_validate_json(reply.read())
        except HTTPError as error:
            raise _refused(error) from error
        except (OSError, HTTPException) as error:
            raise CliError(
                f"the gateway at {self.url} did not answer: {error}",
                f"Check --url or {ADMIN_URL}. Of a gateway on a cluster: kubectl -n "
                "heliostat-system port-forward service/heliostat-gateway 8081",
            ) from error
        except ValidationError as error:
            raise CliError(
                f"what {self.url} answered is not of a gateway of this release",
                f"Check --url or {ADMIN_URL}.",
            ) from error

    def _request(
        self,
        path: str,
        parameters: Mapping[str, str],
        method: str,
        body: Mapping[str, object] | None,
    ) -> Request:
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        headers = {"Authorization": f"Bearer {self.key}"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return Request(
            f"{self.url.rstrip('/')}/admin{path}{query}", content, headers, method=method
        )


def open_admin(url: str | None, key_file: Path | None = None) -> Admin:
    """What the options say, else the environment. Raises UsageError that names what is missing."""
    found = url or os.environ.get(ADMIN_URL, "")
    if not found:
        raise UsageError("the gateway is not named", f"Give --url URL, or set {ADMIN_URL}.")
    if not found.startswith(("http://", "https://")):
        raise UsageError(f"--url {found!r} is no address", "Begin it with http:// or https://.")
    return Admin(found, _read_key(key_file))


def _read_key(file: Path | None) -> str:
    if file is None:
        name, text = ADMIN_KEY, os.environ.get(ADMIN_KEY, "")
    else:
        name, text = f"--admin-key-file {file}", _text_of(file)
    key = text.strip()
    if not key:
        fact = f"{name} is not set" if file is None else f"{name} is empty"
        raise UsageError(fact, f"Set {ADMIN_KEY} to a key for the gateway's /admin.")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(f"{name} holds no key", "A key is one word of plain characters.")
    return key


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--admin-key-file: {file} can't be read: {error}", "Check the file."
        ) from error


def _refused(error: HTTPError) -> CliError:
    text = error.read(_LONGEST_REFUSAL).decode(errors="replace")
    try:
        text = RefusalDocument.model_validate_json(text).error.message
    except ValidationError:
        text = text[:300]
    kind = UsageError if error.code == 400 else CliError
    return kind(f"the gateway answered {error.code}: {text}", _REMEDIES.get(error.code, ""))
