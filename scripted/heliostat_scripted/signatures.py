"""Signatures of thoughts: made from what they sign, so that a changed or invented one is seen."""

import base64
import hashlib
import json

from heliostat_json.objects import JsonObject


def signature_of(text: str) -> str:
    """The signature of a thinking text."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def signature_of_call(name: str, arguments: JsonObject) -> str:
    """The signature of a function call; the order of its arguments does not matter."""
    return signature_of(json.dumps([name, arguments], sort_keys=True))
