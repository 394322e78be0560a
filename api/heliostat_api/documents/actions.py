"""Actions that runs ask for, whole: what is too long for the result that a pod leaves behind.

They are a stranger's words. Only their digest vouches for them, and the operator reckons it again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from heliostat_api.documents.port import Documents, Put, Query, StoreError
from heliostat_api.documents.values import text_in

ACTION_BYTES: Final = 64 * 1024
RUN_ACTIONS: Final = 64
"""Of one run, all attempts together: it may ask 20 times."""


class ActionRefusedError(StoreError):
    """An action that is not kept; the text says why."""


@dataclass(frozen=True)
class Actions:
    """Every call may be repeated and raises StoreErrors. A digest is `sha256:` with 64 digits."""

    documents: Documents
    clock: Callable[[], datetime]

    async def put(self, uid: str, digest: str, content: bytes) -> None:
        """Keeps one. Raises ActionRefusedError."""
        text = read_text(digest, content)
        path = _path(uid, digest)
        if await self.documents.get(path) is not None:
            return
        query = Query(f"executions/{uid}/actions", None)
        if await self.documents.count(query) >= RUN_ACTIONS:
            raise ActionRefusedError(f"a run may deliver {RUN_ACTIONS} actions")
        await self.documents.commit(Put(path, {"text": text, "createdAt": self.clock()}))

    async def get(self, uid: str, digest: str) -> bytes | None:
        """The canonical form, or None."""
        document = await self.documents.get(_path(uid, digest))
        return text_in(document.fields, "text").encode() if document else None


def read_text(digest: str, content: bytes) -> str:
    """What is delivered, if it is what the digest says. Raises ActionRefusedError."""
    if len(content) > ACTION_BYTES:
        raise ActionRefusedError(f"an action may have {ACTION_BYTES} bytes")
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise ActionRefusedError("the content is not that of this digest")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ActionRefusedError("an action is text in UTF-8") from None


def _path(uid: str, digest: str) -> str:
    return f"executions/{uid}/actions/{digest.removeprefix('sha256:')}"
