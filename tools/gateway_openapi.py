"""The gateway's OpenAPI document, written by the gateway itself."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from heliostat_gateway.main import create_app
from heliostat_gateway.settings import Settings


def build_document() -> str:
    """The document as a file."""
    with TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder), redis_url=SecretStr("")))
        document = app.openapi()
        app.state.gateway.storage.close()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
