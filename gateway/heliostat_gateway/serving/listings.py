"""Lists of models, in the shape of the dialect that asks."""

from typing import Final

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.errors import RefusalError
from heliostat_json.objects import JsonObject

# The providers' own dates are not known here, and both shapes need one.
_CREATED: Final = "2026-01-01T00:00:00Z"
_CREATED_SECONDS: Final = 1_767_225_600


def list_models(names: list[str], dialect: Dialect) -> JsonObject:
    """All models."""
    if dialect is Dialect.CHAT:
        return {"object": "list", "data": [_shown(name, dialect) for name in names]}
    return {
        "data": [_shown(name, dialect) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def show_model(name: str, names: list[str], dialect: Dialect) -> JsonObject:
    """One model. Raises RefusalError (404)."""
    if name not in names:
        message = f"The model {name} is not served to this key. GET /v1/models lists what is."
        raise RefusalError(404, "not_found_error", message)
    return _shown(name, dialect)


def _shown(name: str, dialect: Dialect) -> JsonObject:
    if dialect is Dialect.CHAT:
        created = _CREATED_SECONDS
        return {"id": name, "object": "model", "created": created, "owned_by": "heliostat"}
    return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED}
