"""What the gateway says of models' names is kept for a moment, of many names at once."""

from collections import Counter

from heliostat_api.gateway.documents import Model, ModelStatus
from heliostat_api.gateway.models import Routes


class CountingCatalog:
    """Serves every model."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def models(self) -> tuple[Model, ...]:
        return ()

    async def model(self, name: str) -> ModelStatus:
        self.asked[name] += 1
        return ModelStatus(served=True, message="")


async def look(routes: Routes, name: str) -> None:
    assert await routes.look({"model": {"name": name}}) is not None


async def test_a_thousand_and_one_names_push_out_one_and_not_all() -> None:
    catalog = CountingCatalog()
    routes = Routes(catalog, lambda: 100.0)
    names = [f"claude-{number}" for number in range(1001)]
    for name in names:
        await look(routes, name)
    for name in names[1:]:
        await look(routes, name)
    assert set(catalog.asked.values()) == {1}
    await look(routes, names[0])
    assert catalog.asked[names[0]] == 2
