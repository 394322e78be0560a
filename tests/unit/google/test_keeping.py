"""How long an answer is used, and what ends that at once."""

import asyncio

import pytest

from heliostat_google.keeping import Ages, KeptAnswers
from heliostat_google.problems import SecretProblem, SecretReason, SecretUnavailableError

AWAY = SecretProblem(SecretReason.UNREACHABLE, "away")
REFUSED = SecretProblem(SecretReason.FORBIDDEN, "refused")


class Service:
    """Answers with the number of the question, or with a problem; time is the test's."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.problem: SecretProblem | None = None
        self.kept: KeptAnswers[int] = KeptAnswers(Ages(refresh=60, keep=600), lambda: self.now)

    async def answer(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.problem is not None:
            raise SecretUnavailableError(self.problem)
        return self.asked

    async def get(self, at: float, refresh: float | None = None) -> int | str:
        self.now = at
        try:
            return await self.kept.get("a", self.answer, refresh)
        except SecretUnavailableError as error:
            return str(error)


@pytest.fixture
def service() -> Service:
    return Service()


async def test_an_answer_is_asked_for_anew_after_its_time(service: Service) -> None:
    assert [await service.get(at) for at in (0, 59, 60, 119)] == [1, 1, 2, 2]


async def test_what_never_changes_is_not_asked_for_before_its_last_day(service: Service) -> None:
    assert [await service.get(at, refresh=600) for at in (0, 599, 600)] == [1, 1, 2]


async def test_while_the_service_is_away_the_last_answer_holds_to_its_bound(
    service: Service,
) -> None:
    assert await service.get(0) == 1
    service.problem = AWAY
    assert [await service.get(at) for at in (60, 599, 600)] == [1, 1, "away"]
    service.problem = None
    assert await service.get(605) == service.asked


async def test_a_refusal_is_no_absence(service: Service) -> None:
    assert await service.get(0) == 1
    service.problem = REFUSED
    assert [await service.get(at) for at in (59, 60)] == [1, "refused"]
    service.problem = AWAY
    assert await service.get(70) == "away"


async def test_a_service_that_is_away_is_not_asked_by_all(service: Service) -> None:
    service.problem = AWAY
    assert await asyncio.gather(*[service.get(0) for _ in range(50)]) == ["away"] * 50
    assert service.asked == 1
    await service.get(5)
    assert service.asked == 2


async def test_those_who_come_together_ask_once(service: Service) -> None:
    assert await asyncio.gather(*[service.get(0) for _ in range(50)]) == [1] * 50
