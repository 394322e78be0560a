"""Writing the status of Jobs and pods."""

from heliostat_core.reading import part, text
from heliostat_core.worlds import JsonObject, World


async def report(world: World, obj: JsonObject, status: JsonObject) -> None:
    """Write a status unless it stands already. Raises ConflictError when the object is not as
    it was read: it may be another one of that name."""
    if part(obj, "status") == status:
        return
    metadata = {key: text(obj, "metadata", key) for key in ("name", "namespace", "resourceVersion")}
    await world.patch_status(
        {
            "apiVersion": text(obj, "apiVersion"),
            "kind": text(obj, "kind"),
            "metadata": metadata,
            "status": status,
        }
    )
