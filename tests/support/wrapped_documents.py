"""A store of documents around another one: what a test does not change is that one's."""

from heliostat_api.documents.port import Delete, Document, Documents, Page, Put, Query


class WrappedDocuments:
    """Hands every call on."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def get(self, path: str) -> Document | None:
        return await self.documents.get(path)

    async def query(self, query: Query) -> Page:
        return await self.documents.query(query)

    async def count(self, query: Query) -> int:
        return await self.documents.count(query)

    async def commit(self, *writes: Put | Delete) -> None:
        await self.documents.commit(*writes)

    async def delete_tree(self, path: str) -> None:
        await self.documents.delete_tree(path)

    async def close(self) -> None:
        await self.documents.close()
