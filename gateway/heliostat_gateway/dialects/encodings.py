"""Bytes inside JSON: data URLs, and the types of files behind an address."""

import base64
import binascii
import mimetypes
from dataclasses import dataclass
from urllib.parse import urlsplit

from heliostat_json.objects import JsonObject, text_at


@dataclass(frozen=True)
class DataUrl:
    """A file in a URL; `data` is base64."""

    media_type: str
    data: str

    def __str__(self) -> str:
        return f"data:{self.media_type};base64,{self.data}"


def parse_data_url(url: str) -> DataUrl | None:
    """The file in a `data:` URL; None when it is another URL or not base64."""
    head, found, data = url.partition(",")
    if not (found and head.startswith("data:") and head.endswith(";base64")):
        return None
    media_type = head.removeprefix("data:").partition(";")[0]
    return DataUrl(media_type or "application/octet-stream", data)


def decoded_text(data: str) -> str | None:
    """The text in base64; None when it is no UTF-8 text."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def data_url_of(source: JsonObject) -> str:
    """A base64 source as a data URL."""
    return str(DataUrl(text_at(source, "media_type"), text_at(source, "data")))


def media_type_at(url: str) -> str | None:
    """The type that an address ends in; None when it does not say."""
    try:
        return mimetypes.guess_type(urlsplit(url).path)[0]
    except ValueError:  # no address at all: the provider will say so
        return None
