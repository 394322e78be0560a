"""A commit whose answer is lost is asked again: its own success is no conflict."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import grpc.aio
import pytest
from google.cloud.firestore_v1 import types

from heliostat_api.documents.firestore.store import FirestoreDocuments, open_firestore
from heliostat_api.documents.port import ConflictError, Delete, Expected, Put, UnavailableError

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)
SERVICE = "google.firestore.v1.Firestore"
NAME = "projects/p/databases/(default)/documents/things/a"


@dataclass
class Server:
    """As much of Firestore as a commit needs; it carries out, and then is silent about it."""

    lost: int = 0
    """How many answers are still to be lost."""
    meanwhile: Callable[[], None] = lambda: None
    """What somebody else does before the commit is asked again."""
    documents: dict[str, types.Document] = field(default_factory=dict)
    commits: int = 0

    def write(self, name: str, document: types.Document) -> None:
        self.commits += 1
        time = BEGAN + timedelta(seconds=self.commits)
        self.documents[name] = types.Document(
            name=name, fields=document.fields, create_time=time, update_time=time
        )

    async def commit(
        self,
        request: types.CommitRequest,
        context: grpc.aio.ServicerContext[types.CommitRequest, types.CommitResponse],
    ) -> types.CommitResponse:
        for write in request.writes:
            name = write.update.name or write.delete
            known, wanted = self.documents.get(name), write.current_document
            asked = types.Precondition.pb(wanted).WhichOneof("condition_type")
            if asked == "exists" and wanted.exists != (known is not None):
                await context.abort(grpc.StatusCode.ALREADY_EXISTS, "there")
            if asked == "update_time" and (
                known is None or known.update_time != wanted.update_time
            ):
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "another version")
        for write in request.writes:
            if write.delete:
                self.documents.pop(write.delete, None)
            else:
                self.write(write.update.name, write.update)
        if self.lost:
            self.lost -= 1
            self.meanwhile()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        return types.CommitResponse()

    async def read(
        self,
        request: types.BatchGetDocumentsRequest,
        _: grpc.aio.ServicerContext[
            types.BatchGetDocumentsRequest, types.BatchGetDocumentsResponse
        ],
    ) -> AsyncIterator[types.BatchGetDocumentsResponse]:
        for name in request.documents:
            found = self.documents.get(name)
            missing = None if found else name
            yield types.BatchGetDocumentsResponse(found=found, missing=missing, read_time=BEGAN)


@asynccontextmanager
async def served(place: Server) -> AsyncIterator[FirestoreDocuments]:
    commit = grpc.unary_unary_rpc_method_handler(
        place.commit, types.CommitRequest.deserialize, types.CommitResponse.serialize
    )
    read = grpc.unary_stream_rpc_method_handler(
        place.read,
        types.BatchGetDocumentsRequest.deserialize,
        types.BatchGetDocumentsResponse.serialize,
    )
    methods = {"Commit": commit, "BatchGetDocuments": read}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    store = open_firestore("p", emulator=f"127.0.0.1:{port}")
    try:
        yield store
    finally:
        await store.close()
        await server.stop(None)


async def test_its_own_success_is_no_conflict() -> None:
    place = Server(lost=1)
    async with served(place) as store:
        await store.commit(Put("things/a", {"n": 1, "at": BEGAN, "l": [1, {}]}, Expected.ABSENT))
        found = await store.get("things/a")
        assert found is not None
        place.lost = 1
        await store.commit(Put("things/a", {"n": 2}, found.version), Delete("things/b"))
        found = await store.get("things/a")
        assert found is not None
        assert found.fields == {"n": 2}
        place.lost = 1
        await store.commit(Delete("things/a", found.version))
        assert await store.get("things/a") is None


async def test_what_somebody_else_made_of_it_meanwhile_is_in_doubt() -> None:
    place = Server(lost=1)
    other = types.Document(fields={"n": types.Value(integer_value=7)})
    place.meanwhile = lambda: place.write(NAME, other)
    async with served(place) as store:
        with pytest.raises(UnavailableError, match="not known"):
            await store.commit(Put("things/a", {"n": 1}, Expected.ABSENT))


async def test_a_conflict_that_is_answered_is_one() -> None:
    place = Server()
    async with served(place) as store:
        await store.commit(Put("things/a", {"n": 1}))
        with pytest.raises(ConflictError):
            await store.commit(Put("things/a", {"n": 1}, Expected.ABSENT))
