"""The endpoints of secrets: a table of contents, each one call."""

from http import HTTPStatus

from fastapi import APIRouter

from heliostat_api.secrets.records import SecretList, SecretName, SecretValues
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import PartsOf, PersonOf

secrets = APIRouter(prefix="/secrets", route_class=CheckedRoute)


@secrets.get("")
async def list_secrets(parts: PartsOf, person: PersonOf) -> SecretList:
    """Your secrets, without their values."""
    return await parts.secrets.list(person)


@secrets.put("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def put_secret(
    parts: PartsOf, person: PersonOf, name: SecretName, body: SecretValues
) -> None:
    """Make a secret, or set all its values anew. They are never answered."""
    await parts.secrets.put(person, name, body.values)


@secrets.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def delete_secret(parts: PartsOf, person: PersonOf, name: SecretName) -> None:
    """It goes; not while an active agent names it."""
    await parts.secrets.delete(person, name)
