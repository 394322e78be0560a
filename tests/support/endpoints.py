"""What an app serves."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

Endpoint = tuple[str, str]


def endpoints_of(app: FastAPI) -> set[Endpoint]:
    """Method, or the kind of a route without methods, and path of each."""
    found = set()
    for each in iter_route_contexts(app.routes):
        methods = (each.methods or {type(each.original_route).__name__}) - {"HEAD"}
        found |= {(method, str(each.path)) for method in methods}
    return found
