"""JSON Schema of routes.yaml, for editors; the gateway's own check knows more."""

import json

from heliostat_gateway.routes.document import RoutesDocument


def build_schema() -> str:
    """The schema as a file."""
    schema = RoutesDocument.model_json_schema(by_alias=True)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(about | schema, indent=2) + "\n"
