"""What people are told of the gateway's models, and whether an agent may name one."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from cachetools import TTLCache
from pydantic import ValidationError

from heliostat_api.base.errors import GatewayAwayError
from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import View
from heliostat_api.gateway.documents import Model as CatalogModel
from heliostat_api.gateway.documents import ModelStatus
from heliostat_api.records.contents import Spec, completed
from heliostat_core.agents import Model

_SCRIPTED: Final = "scripted"
_FIELD: Final = "spec.model.name"
_KEPT_SECONDS: Final = 10.0
_MOST_KEPT: Final = 1000


class ModelView(View):
    """A model that an agent may name, and who is asked first. `isScripted`: a script answers."""

    name: str
    provider: str
    is_scripted: bool


class ModelList(View):
    """Every model that is served now."""

    items: tuple[ModelView, ...]


@dataclass(frozen=True)
class Route:
    """What is known of the model that a spec names, or gets where it names none.

    `fault` is what is wrong with it; `doubt`, why nobody knows.
    """

    is_named: bool
    fault: FieldError | None = None
    doubt: FieldError | None = None


class ModelCatalog(Protocol):
    """Knows the models that are served: the gateway. Raises GatewayAwayError."""

    async def models(self) -> tuple[CatalogModel, ...]:
        """Returns every model that is served now."""

    async def model(self, name: str) -> ModelStatus:
        """Tells whether a model would be served now, whatever its name."""


class Routes:
    """Asks the gateway. What it says of a name is kept for ten seconds: pages ask while people
    type."""

    def __init__(self, gateway: ModelCatalog, clock: Callable[[], float]) -> None:
        self._gateway = gateway
        self._faults: TTLCache[str, str | None] = TTLCache(_MOST_KEPT, _KEPT_SECONDS, clock)

    async def list(self) -> ModelList:
        """Raises GatewayAwayError."""
        served = await self._gateway.models()
        return ModelList(
            items=tuple(
                ModelView(
                    name=each.name, provider=each.provider, is_scripted=each.provider == _SCRIPTED
                )
                for each in served
            )
        )

    async def look(self, spec: Spec) -> Route | None:
        """None where no model is asked, or none could have such a name."""
        named = name_in(spec)
        name = named or default_of(spec)
        if name is None or not is_name(name):
            return None
        try:
            fault = await self._fault_of(name)
        except GatewayAwayError as error:
            message = bilingual(
                en=f"could not check whether {name} is available: {error}",
                ko=f"{name} 모델을 쓸 수 있는지 확인하지 못했습니다: {error}",
            )
            return Route(named is not None, doubt=FieldError(field=_FIELD, message=message))
        if fault is None:
            return Route(named is not None)
        return Route(named is not None, fault=_unserved(name, fault))

    async def _fault_of(self, name: str) -> str | None:
        with suppress(KeyError):
            return self._faults[name]
        status = await self._gateway.model(name)
        fault = None if status.served else status.message
        self._faults[name] = fault
        return fault


def _unserved(name: str, fault: str) -> FieldError:
    """With the gateway's own words."""
    korean = f"{name} 모델을 제공하는 곳이 없습니다. 모델 목록에서 고르거나 관리자에게 문의하세요"
    return FieldError(field=_FIELD, message=bilingual(en=fault, ko=korean))


def name_in(spec: Spec) -> str | None:
    """The model that a spec names."""
    model = spec.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    return name if isinstance(name, str) else None


def default_of(spec: Spec) -> str | None:
    """The model of a spec that names none: a command asks for whatever it likes."""
    whole = completed(spec)
    if whole is None or not whole.runtime.is_claude_code:
        return None
    return whole.model.name


def is_name(name: str) -> bool:
    """Whether a model could be called that; else the field is wrong already."""
    try:
        Model(name=name)
    except ValidationError:
        return False
    return True
