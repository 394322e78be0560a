"""Documents of `/admin/keys`."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from heliostat_core.money import NANOS_PER_MICRO, micros_from_nanos
from heliostat_gateway.access.callers import Caps, KeyKind, Scope
from heliostat_gateway.access.keys import IssuedKey, ListedKey, WantedKey

LONGEST_SECONDS: Final = 10 * 365 * 86400
_LONGEST_GRACE: Final = 7 * 86400

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[^\s]{1,200}$")]
Count = Annotated[int, Field(ge=1, le=2**53)]


class _Document(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid"
    )


class KeyCaps(_Document):
    """What a key may use in all; a cap that is not given does not exist."""

    max_cost_micros: Annotated[int | None, Field(ge=1, le=2**50)] = None
    max_tokens: Count | None = None
    max_turns: Count | None = None
    strict: Annotated[
        bool, Field(description="Reserve the full possible cost before each call.")
    ] = False


class KeyRequest(_Document):
    """A key to be made."""

    name: Annotated[Name, Field(description="What the key is for, in words of people.")]
    kind: Annotated[Literal["user", "service"], Field(description="A person's or a program's.")]
    user: Annotated[
        str, Field(max_length=200, description="Whose it is; needed for kind user.")
    ] = ""
    scopes: Annotated[
        list[Scope], Field(min_length=1, description="Scopes: models, admin, api.")
    ] = [Scope.MODELS]
    models: Annotated[
        list[Pattern],
        Field(min_length=1, max_length=100, description="Model names it may ask for; `*` is any."),
    ] = ["*"]
    budgets: Annotated[
        list[Name], Field(max_length=20, description="Budgets that its requests count on.")
    ] = []
    caps: KeyCaps = KeyCaps()
    expires_seconds: Annotated[
        int | None,
        Field(ge=1, le=LONGEST_SECONDS, description="How long it is good; without it, for ever."),
    ] = None

    @model_validator(mode="after")
    def _a_person_has_a_name(self) -> Self:
        if self.kind == "user" and not self.user.strip():
            raise ValueError("user: must say whose key it is, because kind is user")
        return self

    def wanted(self, now: int) -> WantedKey:
        """The key in the gateway's own words."""
        return WantedKey(
            name=self.name,
            kind=KeyKind(self.kind),
            user=self.user.strip(),
            scopes=frozenset(self.scopes),
            models=tuple(self.models),
            budgets=tuple(self.budgets),
            caps=_caps(self.caps),
            expires=None if self.expires_seconds is None else now + self.expires_seconds,
        )


class RotationRequest(_Document):
    """How a key is rotated."""

    grace_seconds: Annotated[
        int, Field(ge=0, le=_LONGEST_GRACE, description="How long the old secret stays good.")
    ] = 3600


class KeyView(_Document):
    """A key, without its secret and without a hash of it."""

    id: str
    name: str
    kind: KeyKind
    user: str
    scopes: list[Scope]
    models: list[str]
    budgets: list[str]
    caps: KeyCaps
    created_time: datetime
    last_used_time: datetime | None
    expires_time: datetime | None
    revoked_time: datetime | None


class KeyList(_Document):
    """Keys, oldest first."""

    keys: list[KeyView]


class IssuedKeyView(_Document):
    """A key with its text, which is shown now and never again."""

    key: str
    details: KeyView
    old_key_until_time: datetime | None = None


class RevokedKeyView(_Document):
    """A revoked key."""

    details: KeyView
    streams_ended: int
    everywhere: Annotated[
        bool, Field(description="All replicas have confirmed it; others hear it later.")
    ]


class RefusalDetails(BaseModel):
    """What is wrong and what to do."""

    type: str
    message: str


class RefusalDocument(BaseModel):
    """A refusal, in the shape of the Anthropic API."""

    type: Literal["error"]
    error: RefusalDetails
    request_id: str


def _caps(caps: KeyCaps) -> Caps:
    cost = caps.max_cost_micros
    return Caps(
        cost_nanos=None if cost is None else cost * NANOS_PER_MICRO,
        tokens=caps.max_tokens,
        turns=caps.max_turns,
        strict=caps.strict,
    )


def view_issued(issued: IssuedKey, last_used: int | None) -> IssuedKeyView:
    """A key with its text, for the one who asked for it."""
    return IssuedKeyView(
        key=issued.text,
        details=view_key(ListedKey(issued.record, last_used)),
        old_key_until_time=_time(issued.record.old_until or None),
    )


def view_key(listed: ListedKey) -> KeyView:
    """A key, without what must not be shown."""
    record = listed.record
    cost = record.caps.cost_nanos
    return KeyView(
        id=record.id,
        name=record.name,
        kind=record.kind,
        user=record.user,
        scopes=sorted(record.scopes),
        models=list(record.models),
        budgets=list(record.budgets),
        caps=KeyCaps(
            max_cost_micros=None if cost is None else micros_from_nanos(cost),
            max_tokens=record.caps.tokens,
            max_turns=record.caps.turns,
            strict=record.caps.strict,
        ),
        created_time=_instant(record.created),
        last_used_time=_time(listed.last_used),
        expires_time=_time(record.expires),
        revoked_time=_time(record.revoked),
    )


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else _instant(seconds)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
