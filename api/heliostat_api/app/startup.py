"""What the api can't start with, said so that it can be mended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from heliostat_api.app.settings import PREFIX, ApiSettings, known_settings
from heliostat_api.documents.port import StoreError
from heliostat_api.gateway.client import SigningKeyError
from heliostat_api.people.signed_tokens import SecretsError
from heliostat_core.environment import unknown_settings


class StartError(Exception):
    """It can't start; each line of the text names a setting and what it must be."""


def read_settings(environment: Mapping[str, str]) -> ApiSettings:
    """Those of the environment. Raises StartError, which shows no value: some are secret."""
    if unknown := unknown_settings(environment, PREFIX, known_settings()):
        raise StartError(f"there is no setting {', '.join(unknown)}: see docs/settings.md")
    try:
        return ApiSettings()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise StartError("\n".join(map(say_fault, faults))) from None


def say_fault(fault: ErrorDetails) -> str:
    """`HELIOSTAT_API_PORT: Input should be ...`"""
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    first, *steps = fault["loc"]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"{variable_of(str(first))}{path}: {message}"


def variable_of(name: str) -> str:
    """Of a setting; one that others use has their name already."""
    return f"{PREFIX}{name}".upper() if name in ApiSettings.model_fields else name


@contextmanager
def naming(setting: str) -> Iterator[None]:
    """What can't be opened is told with the setting that names it."""
    try:
        yield
    except (StoreError, SecretsError, SigningKeyError) as error:
        raise StartError(f"{setting}: {error}") from error
    except OSError as error:
        raise StartError(f"{setting}: {error.filename} can't be used: {error.strerror}") from error
