"""The api's OpenAPI document, written by the api itself. The dashboard's types come from it."""

import json

from heliostat_api.app.main import describe_app


def build_document() -> str:
    """The document as a file."""
    return json.dumps(describe_app().openapi(), indent=2, ensure_ascii=False) + "\n"
