"""The Secret of one attempt: run document, execution key, values of Secret Manager."""

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from heliostat_core.executions import Attempt, Execution
from heliostat_core.names import EXECUTION_KEY_KEY, RUN_DOCUMENT_KEY
from heliostat_core.worlds import SECRET, JsonObject
from heliostat_operator.builders.metadata import owned_metadata

NO_VALUES: Final[Mapping[str, SecretStr]] = MappingProxyType({})


def build_secret(
    execution: Execution,
    attempt: Attempt,
    run_document: JsonObject,
    key: str,
    values: Mapping[str, SecretStr] = NO_VALUES,
) -> JsonObject:
    """Made before the Job, never changed afterwards. `values` are those of Secret Manager."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "metadata": owned_metadata(execution, attempt.job_name, attempt.number),
        "type": "heliostat.dev/attempt",
        "immutable": True,
        "data": {
            RUN_DOCUMENT_KEY: _encoded(encode_run_document(run_document)),
            EXECUTION_KEY_KEY: _encoded(key.encode()),
            **{
                managed_key(name): _encoded(value.get_secret_value().encode())
                for name, value in values.items()
            },
        },
    }


def managed_key(env_name: str) -> str:
    """The key of a value that becomes this variable."""
    return f"variable.{env_name}"


def encode_run_document(run_document: JsonObject) -> bytes:
    """As the runner reads it."""
    return json.dumps(run_document, ensure_ascii=False).encode()


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
