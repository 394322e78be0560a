"""Documents in Firestore.

By the library's generated client: its convenient one can't replace a document on the condition of
a version, which is what keeps two writers apart in one round trip.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import grpc.aio
from google.api_core import exceptions
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from heliostat_api.documents.firestore.requests import (
    COUNT,
    Database,
    VersionError,
    build_count,
    build_descent,
    build_query,
    build_write,
    version_of,
)
from heliostat_api.documents.firestore.values import fields_from_proto
from heliostat_api.documents.port import (
    ConflictError,
    Delete,
    Document,
    Expected,
    Page,
    Put,
    Query,
    StoreError,
    UnavailableError,
    check_document,
)
from heliostat_api.documents.queries import SHAPES, Place, Shape, check_query, write_cursor
from heliostat_api.documents.writes import checked, is_expected

T = TypeVar("T")

_OPTIONS = [("grpc.keepalive_time_ms", 30_000), ("grpc.max_receive_message_length", -1)]
_PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.Aborted,
    exceptions.TooManyRequests,
    exceptions.InternalServerError,
)
_OPEN = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
)
"""Of these, a commit may have been carried out."""
_REFUSALS = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)


def open_firestore(
    project: str,
    database: str = "(default)",
    emulator: str | None = None,
    patience_seconds: float = 10,
    shapes: Iterable[Shape] = SHAPES,
) -> "FirestoreDocuments":
    """The store in a project's database, in a running event loop.

    With the machine's own credentials, or in the emulator at that `host:port`. A call that can't
    reach the store is repeated for `patience_seconds`. Raises StoreError without credentials.
    """
    channel = grpc.aio.insecure_channel(emulator, options=_OPTIONS) if emulator else _open_channel()
    metadata = [("authorization", "Bearer owner")] if emulator else []
    return FirestoreDocuments(
        channel, Database(project, database), metadata, patience_seconds, shapes
    )


def _open_channel() -> grpc.aio.Channel:
    try:
        return FirestoreGrpcAsyncIOTransport.create_channel(options=_OPTIONS)
    except DefaultCredentialsError as error:
        raise StoreError(
            "no credentials for Firestore: run with a service account (Workload Identity), or set"
            f" GOOGLE_APPLICATION_CREDENTIALS to the file of one ({error})"
        ) from error


class FirestoreDocuments:
    """See Documents."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        database: Database,
        metadata: Sequence[tuple[str, str]],
        patience_seconds: float,
        shapes: Iterable[Shape],
    ) -> None:
        self._channel = channel
        self._client = FirestoreAsyncClient(
            transport=FirestoreGrpcAsyncIOTransport(channel=channel)
        )
        self._database = database
        self._metadata = [("google-cloud-resource-prefix", database.name), *metadata]
        self._timeout = patience_seconds
        self._retry = AsyncRetry(
            if_exception_type(*_PASSING), initial=0.05, maximum=1, timeout=patience_seconds
        )
        self._shapes = frozenset(shapes)

    async def get(self, path: str) -> Document | None:
        """See Documents."""
        check_document(path)
        # Not GetDocument: to it, a database that is not there is a document that is not there.
        request = types.BatchGetDocumentsRequest(
            database=self._database.name, documents=[self._database.name_of(path)]
        )

        async def read() -> Document | None:
            answers = await self._client.batch_get_documents(
                request, retry=None, timeout=self._timeout, metadata=self._metadata
            )
            found = [each.found async for each in answers if each.found.name]
            return self._document(found[0]) if found else None

        return await self._patiently(read)

    async def query(self, query: Query) -> Page:
        """See Documents."""
        check_query(query, self._shapes)
        found = await self._run_query(build_query(self._database, query))
        documents = tuple(map(self._document, found[: query.limit]))
        if len(found) <= query.limit:
            return Page(documents)
        last = documents[-1]
        return Page(documents, write_cursor(query, Place(last.fields[query.order], last.id)))

    async def count(self, query: Query) -> int:
        """See Documents."""
        check_query(query, self._shapes)
        request = build_count(self._database, query)

        async def ask() -> int:
            answers = await self._client.run_aggregation_query(
                request, retry=None, timeout=self._timeout, metadata=self._metadata
            )
            return sum(
                [each.result.aggregate_fields[COUNT].integer_value async for each in answers]
            )

        return await self._patiently(ask)

    async def commit(self, *writes: Put | Delete) -> None:
        """See Documents."""
        normal, doubts = checked(writes), list[Exception]()
        try:
            await self._commit([build_write(self._database, write) for write in normal], doubts)
        except (VersionError, _RefusedError) as error:
            refusal = await self._conflict(normal, error)
            if not (doubts and isinstance(refusal, ConflictError)):
                raise refusal from error
            await self._settle(normal, doubts[0])

    async def delete_tree(self, path: str) -> None:
        """See Documents. What is below goes first."""
        check_document(path)
        descent = build_descent(self._database, path)
        while below := await self._run_query(descent):
            await self.commit(*(Delete(self._database.path_of(each.name)) for each in below))
        await self.commit(Delete(path))

    async def close(self) -> None:
        """See Documents."""
        await self._channel.close(None)

    async def _commit(self, writes: list[types.Write], doubts: list[Exception]) -> None:
        """`doubts` gets what leaves open whether all was written."""
        request = types.CommitRequest(database=self._database.name, writes=writes)

        async def ask() -> None:
            try:
                await self._client.commit(
                    request, retry=None, timeout=self._timeout, metadata=self._metadata
                )
            except _OPEN as error:
                doubts.append(error)
                raise

        await self._patiently(ask)

    async def _settle(self, writes: Sequence[Put | Delete], doubt: Exception) -> None:
        """After a commit whose answer was lost, a refusal may be that of its own success.

        Raises UnavailableError where it is not all there: whether it was is known to nobody.
        """
        for write in writes:
            found = await self.get(write.path)
            wanted = None if isinstance(write, Delete) else write.fields
            if (found.fields if found else None) != wanted:
                raise UnavailableError(
                    f"Firestore's answer was lost, and whether {write.path} was written is not "
                    f"known: {doubt}"
                )

    async def _run_query(self, request: types.RunQueryRequest) -> list[types.Document]:
        async def read() -> list[types.Document]:
            answers = await self._client.run_query(
                request, retry=None, timeout=self._timeout, metadata=self._metadata
            )
            return [each.document async for each in answers if each.document.name]

        return await self._patiently(read)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks again while the store is away. Raises StoreErrors."""
        with _mapped_errors():
            return await self._retry(ask)()

    async def _conflict(self, writes: Sequence[Put | Delete], error: StoreError) -> StoreError:
        """Which expectation did not hold: Firestore says it only in words."""
        expecting = [write for write in writes if write.expect is not Expected.ANY]
        if not expecting:
            return error
        for write in expecting:
            found = await self.get(write.path)
            if not is_expected(write.expect, found.version if found else None):
                return ConflictError(write.path)
        return ConflictError(expecting[0].path)

    def _document(self, found: types.Document) -> Document:
        path = self._database.path_of(found.name)
        return Document(path, fields_from_proto(found.fields), version_of(found))


class _RefusedError(StoreError):
    """A precondition does not hold, or what is asked for is not there: database, index."""


@contextmanager
def _mapped_errors() -> Iterator[None]:
    """Firestore's errors as ours."""
    try:
        yield
    except _REFUSALS as error:
        raise _RefusedError(f"Firestore refused: {error.message}") from error
    except (exceptions.RetryError, *_PASSING) as error:
        raise UnavailableError(f"Firestore can't be reached: {error}") from error
    except exceptions.GoogleAPICallError as error:
        raise StoreError(f"Firestore refused: {error.message}") from error
