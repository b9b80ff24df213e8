"""What the engine does differently for a model on this machine: a window, no time limit, limits."""

from __future__ import annotations

import asyncio

from tests.asking.test_engine import QUICK, Counting, question, questions
from tests.pictures import photo, saved

from eyechart.asking import AskSettings, Patience, Tally, ask
from eyechart.asking.backend import Answer, Call
from eyechart.records import Picture

SMALL = Picture(data=saved(photo(size=(10, 10)), "PNG"), name="small.png")
LARGE = Picture(data=saved(photo(size=(40, 30)), "PNG"), name="large.png")


class Local(Counting):
    """A model that takes its time and resizes pictures itself."""

    window = 100
    resizes = True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    async def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        return await super().answer(call)


class Slow(Local):
    async def answer(self, call: Call) -> Answer:
        await asyncio.sleep(0.2)
        return await super().answer(call)


def test_a_local_model_gets_as_many_calls_at_once_as_its_window_holds() -> None:
    model = Local()
    list(ask(questions(300), model))
    assert 32 < model.most_at_once <= 100


def test_a_concurrency_that_was_chosen_is_kept() -> None:
    model = Local()
    list(ask(questions(50), model, settings=QUICK))
    assert model.most_at_once <= 4


def test_a_service_gets_32_calls_at_once() -> None:
    model = Counting()
    list(ask(questions(300), model))
    assert model.most_at_once == 32


def test_calls_of_a_local_model_wait_for_each_other_without_a_time_limit() -> None:
    hasty = AskSettings(patience=Patience(attempts=1, timeout_s=0.01))
    (response,) = ask(questions(1), Slow(), settings=hasty)
    assert response.failure is None


def test_a_model_that_resizes_gets_pictures_as_they_are_and_the_limit() -> None:
    model, tally = Local(), Tally()
    requests = [question("s", picture=SMALL), question("l", picture=LARGE)]
    list(ask(requests, model, settings=AskSettings(max_pixels=100), tally=tally))
    assert [call.max_pixels for call in model.calls] == [100, 100]
    sent = {call.request.item_id: call.images[0].data for call in model.calls}
    assert sent == {"s": SMALL.data, "l": LARGE.data}
    assert tally.changed == {"limited to 100 pixels by the model's own processor": 1}


def test_the_limit_is_part_of_every_pictures_key() -> None:
    """A model that enlarges all pictures looks at fewer pixels of a small one too."""
    requests = [question("s", picture=SMALL), question("l", picture=LARGE)]
    keys = [
        {r.item_id: r.key for r in ask(requests, Local(), settings=AskSettings(max_pixels=most))}
        for most in (None, 100, 200)
    ]
    assert len({key["l"] for key in keys}) == 3
    assert len({key["s"] for key in keys}) == 3
