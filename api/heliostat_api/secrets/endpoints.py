"""The endpoints of secrets: a table of contents, each one call."""

from http import HTTPStatus

from fastapi import APIRouter

from heliostat_api.secrets.records import SecretList, SecretName, SecretValues
from heliostat_api.secrets.service import Secrets
from heliostat_api.web.auth_dependency import CheckedRoute
from heliostat_api.web.dependencies import PersonOf
from heliostat_api.web.provide import Provided

router = APIRouter(prefix="/secrets", route_class=CheckedRoute)


@router.get("")
async def list_secrets(secrets: Provided[Secrets], person: PersonOf) -> SecretList:
    """Your secrets, without their values."""
    return await secrets.list(person)


@router.put("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def put_secret(
    secrets: Provided[Secrets], person: PersonOf, name: SecretName, body: SecretValues
) -> None:
    """Make a secret, or set all its values anew. They are never answered."""
    await secrets.put(person, name, body.values)


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def delete_secret(secrets: Provided[Secrets], person: PersonOf, name: SecretName) -> None:
    """It goes; not while an active agent names it."""
    await secrets.delete(person, name)
