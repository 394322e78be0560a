"""`python -m heliostat_operator`: the operator in a cluster."""

import asyncio
import logging
import os
import sys

from pydantic import ValidationError

from heliostat_core.environment import unknown_settings
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.gc_tuning import tune_collector
from heliostat_operator.main import run
from heliostat_operator.settings import PREFIX, OperatorSettings, known_settings
from heliostat_telemetry.lines import set_up_lines


async def _serve(settings: OperatorSettings) -> None:
    world = await KubernetesWorld.connect()
    try:
        await run(settings, world)
    finally:
        await world.close()


def main() -> int:
    """0 after a signal, 1 when something ended it, 2 for a setting that is wrong."""
    set_up_lines()
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # a line for each event otherwise
    try:
        unknown = unknown_settings(os.environ, PREFIX, known_settings())
        settings = OperatorSettings()
    except ValidationError as error:
        sys.stderr.write(f"A setting of the operator is wrong: {error}\n")
        return 2
    if unknown:
        sys.stderr.write(f"The operator knows no setting {', '.join(unknown)}.\n")
        return 2
    tune_collector()
    try:
        asyncio.run(_serve(settings))
    except Exception:  # whatever ends us is a line like any other
        logging.getLogger(__name__).critical("the operator ends", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
