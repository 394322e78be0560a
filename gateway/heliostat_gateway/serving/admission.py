"""Who is let in under /admin: the check before each of its endpoints."""

from collections.abc import Callable

from fastapi import Request

from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.access.rights import may
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError


def admits(keys: KeyRing) -> Callable[[Request], None]:
    """A dependency that raises RefusalError (401, 403) for who may not ask there."""

    def check(request: Request) -> None:
        admin = keys.admin(request.headers)
        if not may(admin, request.method, request.scope["path"]):
            raise RefusalError(
                403,
                "permission_error",
                f"The token of the api does not open {request.method} {request.url.path}: it is "
                "for its people's budgets, keys and usage.",
                DO_NOT_RETRY,
            )

    return check
