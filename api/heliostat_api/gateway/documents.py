"""What the gateway answers, as far as the api reads it."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class Budget(Answer):
    """A cap and what is spent or reserved of it in its present period, which ends at `until_ms`."""

    name: str
    cap_nanos: int | None
    period: str
    time_zone: str
    spent_nanos: int
    until_ms: int | None


class Model(Answer):
    """A model that is served, and who is asked first."""

    name: str
    provider: str


class Catalog(Answer):
    models: tuple[Model, ...]


class ModelStatus(Answer):
    """Whether a model would be served now; `message` has the remedy if not."""

    served: bool
    message: str


class Key(Answer):
    """A key without its secret."""

    id: str
    name: str
    kind: str
    user: str
    scopes: tuple[str, ...]
    created_time: datetime
    last_used_time: datetime | None
    expires_time: datetime | None
    revoked_time: datetime | None


class Keys(Answer):
    keys: tuple[Key, ...]


class IssuedKey(Answer):
    """A key with its text, which is shown once."""

    key: str
    details: Key


class CheckedKey(Answer):
    """None for a key that is no good."""

    details: Key | None


class UsageLine(Answer):
    """Sums of one group."""

    key: Mapping[str, str]
    requests: int
    tokens: Mapping[str, int]
    cost_nanos: int


class UsagePage(Answer):
    """Lines of a page, and the sum over all pages."""

    lines: tuple[UsageLine, ...]
    total: UsageLine
    next: str | None


class MonthLine(Answer):
    """Nano-dollars of the whole month; no figures without history."""

    expected_nanos: int | None
    low_nanos: int | None
    high_nanos: int | None


class Month(Answer):
    """What the month that is going on will have cost."""

    total: MonthLine


class Forgotten(Answer):
    """`open`: calls that go on, and will be booked with the name."""

    open: int


class Nothing(Answer):
    """An answer of which nothing is read."""


class Refusal(Answer):
    """The words of a refusal."""

    class Details(Answer):
        message: str = ""

    error: Details = Details()
