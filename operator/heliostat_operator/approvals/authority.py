"""Who vouches for the names under which people decide."""

from enum import StrEnum


class Authority(StrEnum):
    """Whose names are believed in a namespace."""

    API_SERVER = "ApiServer"
    """Those of the API server, whose admission policy holds each to their own; and the api's."""
    API = "Api"
    """The policy is not in force: only those of the api, which knows its persons itself."""
    NOBODY = "Nobody"
    """There is no API server: the embedded world is one person's, and separates nobody."""
