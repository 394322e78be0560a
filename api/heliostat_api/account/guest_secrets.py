"""A guest's secrets become theirs for good when they sign in."""

from dataclasses import dataclass

from heliostat_api.documents.port import ConflictError, Document, Documents, Put
from heliostat_api.secrets.records import OwnSecret, build_head, read_secret
from heliostat_api.secrets.service import documents_of
from heliostat_core.worlds import ConflictError as GoneError
from heliostat_core.worlds import World


@dataclass(frozen=True)
class MovingSecrets:
    """Secrets and their documents; see Moving. `world` is written to under a name of its own."""

    documents: Documents
    world: World

    async def move(self, before: str, after: str) -> None:
        """See Moving. Where both have one of the same name, the guest's gets its Secret's name."""
        taken = {read_secret(each).name async for each in documents_of(self.documents, after)}
        while found := [each async for each in documents_of(self.documents, before)]:
            for document in found:
                await self._give(document, after, taken)

    async def _give(self, document: Document, owner: str, taken: set[str]) -> None:
        secret = read_secret(document)
        await self._label(secret, owner)
        name = secret.resource if secret.name in taken else secret.name
        moved = secret.model_copy(update={"name": name})
        try:
            await self.documents.commit(Put(document.path, moved.fields(owner), document.version))
        except ConflictError:
            return  # written meanwhile: it is found again

    async def _label(self, secret: OwnSecret, owner: str) -> None:
        if not secret.is_stored:
            return
        try:
            await self.world.apply(build_head(secret, owner))
        except GoneError:
            return  # gone meanwhile, and its record moves alone
