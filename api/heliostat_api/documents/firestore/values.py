"""Values of fields as Firestore has them, and back.

Firestore takes no list within a list: it is written as `{"$list": [...]}`. What only others write
(bytes, references, places) is read as something that we have.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp

from heliostat_api.documents.port import Value
from heliostat_api.documents.values import LIST, MAP, is_mark


def to_proto(value: Value) -> types.Value:
    """Takes normalised values."""
    if value is None:
        return types.Value(null_value=0)
    if isinstance(value, bool):
        return types.Value(boolean_value=value)
    if isinstance(value, int):
        return types.Value(integer_value=value)
    if isinstance(value, float):
        return types.Value(double_value=value)
    if isinstance(value, str):
        return types.Value(string_value=value)
    if isinstance(value, datetime):
        return types.Value(timestamp_value=to_timestamp(value))
    if isinstance(value, Mapping):
        fields = fields_to_proto(value)
        return _map({MAP: _map(fields)} if is_mark(value) else fields)
    return types.Value(array_value=types.ArrayValue(values=list(map(_element, value))))


def from_proto(value: types.Value) -> Value:
    """Any value that Firestore may hold."""
    match types.Value.pb(value).WhichOneof("value_type"):
        case "null_value" | None:
            return None
        case "timestamp_value":
            return from_timestamp(types.Value.pb(value).timestamp_value)
        case "array_value":
            return [from_proto(each) for each in value.array_value.values]
        case "map_value":
            return _from_map(value.map_value.fields)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "geo_point_value":
            place = value.geo_point_value
            return {"latitude": place.latitude, "longitude": place.longitude}
        case kind:
            scalar: str | int | float | bool = getattr(value, kind)
            return scalar


def fields_to_proto(fields: Mapping[str, Value]) -> dict[str, types.Value]:
    return {name: to_proto(value) for name, value in fields.items()}


def fields_from_proto(fields: Mapping[str, types.Value]) -> dict[str, Value]:
    return {name: from_proto(value) for name, value in fields.items()}


def to_timestamp(value: datetime) -> Timestamp:
    """Exactly; the client library's own way goes over a float and errs before 1970."""
    timestamp = Timestamp()
    timestamp.FromDatetime(value)
    return timestamp


def from_timestamp(message: Timestamp) -> datetime:
    """Without nanoseconds, of which Firestore keeps none."""
    return message.ToDatetime(UTC)


def _element(value: Value) -> types.Value:
    return _map({LIST: to_proto(value)}) if isinstance(value, list) else to_proto(value)


def _map(fields: Mapping[str, types.Value]) -> types.Value:
    return types.Value(map_value=types.MapValue(fields=dict(fields)))


def _from_map(fields: Mapping[str, types.Value]) -> Value:
    if len(fields) == 1 and LIST in fields:
        return from_proto(fields[LIST])
    if len(fields) == 1 and MAP in fields:
        return fields_from_proto(fields[MAP].map_value.fields)
    return fields_from_proto(fields)
