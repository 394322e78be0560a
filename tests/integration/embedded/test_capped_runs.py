"""A run whose person's cap is reached ends, and says which cap and until when."""

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.gateway.caps import Caps, DailyCaps
from heliostat_api.gateway.client import Gateway
from heliostat_cli.dev.command import gateway_place
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.host import hosting
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_cli.sessions import utc_now
from heliostat_core.names import BUDGETS_ANNOTATION, OWNER_ANNOTATION
from heliostat_core.reading import text
from heliostat_core.worlds import EXECUTION, JsonObject, Ref
from heliostat_gateway.settings import Settings
from support.embedded import wait_for_object
from support.objects import make_agent, make_execution, with_metadata

ANN = Person("guest-ann", PersonKind.GUEST)


def is_over(execution: JsonObject) -> bool:
    return text(execution, "status", "phase") in ("Succeeded", "Failed")


async def test_it_ends_with_the_gateways_own_words(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with hosting(folder, gateway=Settings(default_provider="scripted")):
        gateway = Gateway(gateway_place(folder))
        caps = Caps(gateway, DailyCaps(guest=1, guests=10**6), utc_now)
        await caps.ensure(ANN)
        agent = make_agent("default", prompt="run: true", model={"name": "scripted/tools"})
        owned = {OWNER_ANNOTATION: ANN.id, BUDGETS_ANNOTATION: ",".join(caps.names(ANN))}
        await world.create(with_metadata(agent, annotations=owned))
        await world.create(make_execution("default"))
        ref = Ref(EXECUTION, "default", "run")
        execution = await wait_for_object(world, ref, is_over, "the Execution is over")
        (own, _) = await caps.ensure(ANN)
        await gateway.close()
    assert text(execution, "status", "phase") == "Failed"
    told = str(execution["status"])
    assert "CostLimitReached" in told
    assert f"The budget person-{ANN.id} has reached its cost limit" in told
    assert "It starts anew at" in told
    assert own.spent_nanos > 1000
