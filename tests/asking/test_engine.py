"""The engine, driven with the real scripted backend: no network, no mocks."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from tests.endpoint import hangs, serve

from eyechart.asking import AskSettings, Budget, CallLog, Patience, Price, Tally, ask
from eyechart.asking.backend import Answer, Call
from eyechart.backends.scripted import Scripted
from eyechart.errors import BadInput, EyechartError, Fatal, Refused, Transient
from eyechart.plugins import open_model
from eyechart.records import Picture, Request, Response, Sampling, Turn, Usage, next_word

QUICK = AskSettings(concurrency=4, patience=Patience(attempts=3, backoff_s=0.001))


def question(name: str, text: str = "", *, picture: Picture | None = None) -> Request:
    parts = (picture, text or name) if picture else (text or name,)
    return Request(name, "answer", (Turn("user", parts),))


def questions(n: int) -> list[Request]:
    return [question(str(i)) for i in range(n)]


def by_item(responses: Iterator[Response]) -> dict[str, Response]:
    return {response.item_id: response for response in responses}


class Counting(Scripted):
    """A scripted model that counts what it was asked."""

    def __init__(self, script: object = "Yes.") -> None:
        super().__init__(script)  # type: ignore[arg-type]
        self.asked: Counter[str] = Counter()
        self.most_at_once = self.at_once = 0

    async def answer(self, call: Call) -> Answer:
        self.asked[call.request.item_id] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return await super().answer(call)
        finally:
            self.at_once -= 1


def test_every_request_gets_exactly_one_response(tmp_path: Path) -> None:
    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = list(ask(questions(1000), Scripted("Yes."), log=log))
    assert Counter(r.item_id for r in responses) == Counter(str(i) for i in range(1000))
    assert {r.text for r in responses} == {"Yes."}


def test_what_was_answered_is_never_asked_again(tmp_path: Path) -> None:
    model = Counting()
    with CallLog(tmp_path / "calls.sqlite") as log:
        first = by_item(ask(questions(20), model, log=log))
        tally = Tally()
        second = by_item(ask(questions(30), model, log=log, tally=tally))
    assert set(model.asked.values()) == {1}
    assert (tally.n_asked, tally.n_found) == (10, 20)
    assert all(second[name] == first[name] for name in first)


def test_the_same_question_under_two_names_is_one_call(tmp_path: Path) -> None:
    model = Counting()
    twins = [question(str(i), "the same words") for i in range(50)]
    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = list(ask(twins, model, log=log, settings=QUICK))
    assert sum(model.asked.values()) == 1
    assert len({r.item_id for r in responses}) == 50


def test_twins_far_apart_in_a_long_stream_are_one_call(tmp_path: Path) -> None:
    model = Counting()
    twins = [question(f"{i}", f"question {i % 400}") for i in range(2000)]
    with CallLog(tmp_path / "calls.sqlite") as log:
        assert len(list(ask(twins, model, log=log, settings=QUICK))) == 2000
    assert sum(model.asked.values()) == 400


def test_at_most_so_many_calls_are_on_their_way_at_once() -> None:
    model = Counting()
    list(ask(questions(100), model, settings=QUICK))
    assert 1 < model.most_at_once <= QUICK.concurrency


def test_a_transient_failure_is_tried_again_and_then_answered() -> None:
    left = Counter({"0": 2, "1": 1})

    def script(request: Request) -> str:
        if left[request.item_id] > 0:
            left[request.item_id] -= 1
            raise Transient("HTTP 503")
        return "Yes."

    tally = Tally()
    responses = by_item(ask(questions(3), Scripted(script), settings=QUICK, tally=tally))
    assert {r.text for r in responses.values()} == {"Yes."}
    assert tally.n_retries == 3


def test_a_request_that_keeps_failing_becomes_a_failed_row_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    def script(request: Request) -> str:
        if request.item_id == "1":
            raise Transient("HTTP 500: it broke")
        return "Yes."

    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = by_item(ask(questions(3), Scripted(script), log=log, settings=QUICK))
        (row,) = log.summary()
    failure = responses["1"].failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("transient", "HTTP 500: it broke")
    assert responses["2"].text == "Yes."
    assert (row.n_answered, row.n_failed) == (2, 1)


def test_a_failed_request_is_asked_again_next_time(tmp_path: Path) -> None:
    replies = iter([Refused("too long"), "Yes."])

    def script(request: Request) -> str:
        reply = next(replies)
        if isinstance(reply, Refused):
            raise reply
        return reply

    model = Scripted(script)
    with CallLog(tmp_path / "calls.sqlite") as log:
        (first,) = ask(questions(1), model, log=log)
        (second,) = ask(questions(1), model, log=log)
    assert first.failure is not None
    assert first.failure.kind == "refused"
    assert second.text == "Yes."


def test_a_fatal_error_stops_the_run_at_once_and_keeps_what_was_answered(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def script(request: Request) -> str:
        asked[request.item_id] += 1
        if len(asked) > 10:
            raise Fatal("HTTP 401: the key is not valid")
        return "Yes."

    with CallLog(tmp_path / "calls.sqlite") as log:
        with pytest.raises(Fatal, match="401"):
            list(ask(questions(1000), Scripted(script), log=log, settings=QUICK))
        (row,) = log.summary()
    assert row.n_answered == 10
    assert len(asked) <= 10 + QUICK.concurrency


def test_a_server_that_is_not_there_stops_the_run_after_three_tries() -> None:
    def script(request: Request) -> str:
        raise Transient("cannot connect to http://localhost:1", unreachable=True)

    with pytest.raises(Fatal, match="Is the server up, and the address right"):
        list(ask(questions(5), Scripted(script), settings=QUICK))


def test_an_endpoint_that_answers_nobody_any_more_stops_the_run() -> None:
    def script(request: Request) -> str:
        raise Transient("HTTP 503")

    with pytest.raises(Fatal, match=r"the last 16 requests all failed.*HTTP 503"):
        list(ask(questions(500), Scripted(script), settings=QUICK))


def test_throttling_lowers_the_number_of_calls_at_once_and_all_are_answered() -> None:
    class Narrow(Counting):
        async def answer(self, call: Call) -> Answer:
            if self.at_once >= 3:
                raise Transient("HTTP 429", after_s=0.01, throttled=True)
            return await super().answer(call)

    settings = AskSettings(concurrency=16, patience=Patience(backoff_s=0.001))
    responses = list(ask(questions(100), Narrow(), settings=settings))
    assert all(r.failure is None for r in responses)


def test_a_call_budget_is_never_exceeded_and_the_rest_says_so() -> None:
    model = Counting()
    settings = AskSettings(budget=Budget(calls=7))
    responses = list(ask(questions(20), model, settings=settings))
    assert sum(model.asked.values()) == 7
    unasked = [r.failure for r in responses if r.failure]
    assert len(unasked) == 13
    assert {f.message for f in unasked} == {"not asked: what is left of the budget is too little"}


@pytest.mark.parametrize("budget", [Budget(tokens=2000), Budget(usd=0.002, price=Price(1.0, 1.0))])
def test_a_budget_in_tokens_or_money_is_never_exceeded(budget: Budget) -> None:
    """The first call is short, the later ones long: each holds back the most that it can use."""
    costs = iter([Usage(90, 1)] + [Usage(90, 10)] * 100)
    model = Scripted(lambda request: Answer(text="Yes.", usage=next(costs)))
    short = Sampling(max_tokens=10)
    many = [dataclasses.replace(q, sampling=short) for q in questions(50)]
    tally = Tally()
    responses = list(ask(many, model, settings=AskSettings(budget=budget), tally=tally))
    assert 1900 < tally.tokens_in + tally.tokens_out <= 2000
    assert sum(r.failure is None for r in responses) == tally.n_asked


def test_a_budget_smaller_than_one_reply_asks_nobody() -> None:
    model = Counting()
    settings = AskSettings(budget=Budget(tokens=100))
    responses = list(ask(questions(3), model, settings=settings))
    assert not model.asked
    assert {r.failure.kind for r in responses if r.failure} == {"budget"}


def test_runs_that_share_a_tally_share_a_budget() -> None:
    tally, settings = Tally(), AskSettings(budget=Budget(calls=10))
    for stage in "ab":
        stage_questions = [question(f"{stage}{i}") for i in range(8)]
        list(ask(stage_questions, Scripted("Yes."), settings=settings, tally=tally))
    assert tally.n_asked == 10


def test_answers_from_the_log_cost_nothing(tmp_path: Path) -> None:
    with CallLog(tmp_path / "calls.sqlite") as log:
        list(ask(questions(10), Scripted("Yes."), log=log))
        settings = AskSettings(budget=Budget(calls=0))
        again = list(ask(questions(10), Scripted("No."), log=log, settings=settings))
    assert {r.text for r in again} == {"Yes."}


def test_a_token_budget_needs_an_endpoint_that_counts_tokens() -> None:
    model = Scripted(lambda request: Answer(text="Yes."))
    with pytest.raises(Fatal, match=r"does not say how many tokens.*--max-calls"):
        list(ask(questions(5), model, settings=AskSettings(budget=Budget(tokens=10**6))))


def test_a_money_budget_needs_a_price() -> None:
    with pytest.raises(BadInput, match="needs a price: --price IN,OUT"):
        Budget(usd=1.0)


def test_settings_that_ask_nobody_are_refused() -> None:
    with pytest.raises(BadInput, match="concurrency of at least 1, not 0"):
        AskSettings(concurrency=0)
    with pytest.raises(BadInput, match="max_pixels of at least 1, not 0"):
        AskSettings(max_pixels=0)
    with pytest.raises(BadInput, match=r"attempts of at least 1.*not 0, 0.5 and 300"):
        Patience(attempts=0)
    with pytest.raises(BadInput, match="budgets of 0 or more"):
        Budget(calls=-1)
    with pytest.raises(BadInput, match="prices of 0 or more"):
        Price(-1.0)


def test_a_picture_that_cannot_be_sent_is_a_failed_row_that_names_the_file(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    requests = [question(n, picture=Picture(tmp_path / f"{n}.png")) for n in ("good", "bad")]
    responses = by_item(ask(requests, Scripted("Yes.")))
    failure = responses["bad"].failure
    assert failure is not None
    assert failure.kind == "image"
    assert "bad.png" in failure.message
    assert responses["good"].text == "Yes."


def test_what_was_sent_is_in_the_log(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    with CallLog(tmp_path / "calls.sqlite") as log:
        list(ask([question("a", picture=Picture(tmp_path / "a.png"))], Scripted("Yes."), log=log))
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as db:
        rows = db.execute("SELECT * FROM pictures").fetchall()
    ((_, form, width, height, n_bytes, changed),) = rows
    assert (form, width, height, changed) == ("PNG", 8, 6, "")
    assert n_bytes == (tmp_path / "a.png").stat().st_size


def test_a_want_that_the_model_cannot_meet_is_an_error_before_it_is_asked() -> None:
    class TextOnly(Counting):
        wants = frozenset({"text"})

    model = TextOnly()
    wanted = Request("7", "answer", (Turn("user", ("?",)),), want=next_word("good", "poor"))
    with pytest.raises(BadInput, match="item 7: scripted cannot give 'next_word', only text"):
        list(ask([wanted], model))
    assert not model.asked


def test_a_begun_answer_needs_a_model_that_can_go_on_from_it() -> None:
    class Fresh(Scripted):
        continues = False

    begun = Request("7", "answer", (Turn("user", ("?",)),), begun="The quality is")
    with pytest.raises(BadInput, match="cannot go on from a begun answer"):
        list(ask([begun], Fresh("good")))


def test_silence_ends_after_the_time_limit() -> None:
    settings = AskSettings(patience=Patience(2, 0.001, 0.1))
    with serve(hangs()) as endpoint:
        (response,) = ask(questions(1), open_model(endpoint.address), settings=settings)
        assert len(endpoint.requests) == 2
    assert response.failure is not None
    assert response.failure.message == f"{endpoint.address}: no answer within 0.1 s"


def test_a_full_disk_stops_the_run_and_keeps_what_was_committed(tmp_path: Path) -> None:
    with CallLog(tmp_path / "calls.sqlite") as log:
        list(ask(questions(50), Scripted("Yes."), log=log))
        (pages,) = log._db.execute("PRAGMA page_count").fetchone()
        log._db.execute(f"PRAGMA max_page_count={pages + 2}")
        many = [question(f"x{i}", "x" * 500 + str(i)) for i in range(5000)]
        with pytest.raises(EyechartError, match=r"cannot be written .*full.*make room and run"):
            list(ask(many, Scripted("Yes."), log=log))
    with CallLog(tmp_path / "calls.sqlite") as log:
        tally = Tally()
        list(ask(questions(50), Scripted("Yes."), log=log, tally=tally))
    assert tally.n_found == 50


def test_a_reader_that_stops_early_stops_the_asking_and_leaves_no_thread(tmp_path: Path) -> None:
    model = Counting()
    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = ask(questions(100_000), model, log=log, settings=QUICK)
        next(responses)
        responses.close()
        (row,) = log.summary()
    assert row.n_answered == sum(model.asked.values()) < 100_000
    assert not [t for t in threading.enumerate() if t.name == "ask"]


def test_a_slow_reader_holds_the_asking_back() -> None:
    model = Counting()
    responses = ask(questions(50_000), model, settings=QUICK)
    next(responses)
    n_asked = -1
    while n_asked < sum(model.asked.values()):
        n_asked = sum(model.asked.values())
        threading.Event().wait(0.1)
    assert n_asked < 50_000
    responses.close()


def test_answers_are_committed_while_the_reader_stands_still(tmp_path: Path) -> None:
    model = Counting()
    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = ask(questions(50_000), model, log=log, settings=QUICK)
        next(responses)
        while log.summary()[0].n_answered < sum(model.asked.values()):
            threading.Event().wait(0.01)
        responses.close()


@pytest.mark.parametrize("slow_s", [0.0, 0.02, 0.05, 0.1, 0.2, 0.5])
def test_a_slow_call_and_its_twin_are_one_call_however_many_pass_between(
    tmp_path: Path, slow_s: float
) -> None:
    class Uneven(Counting):
        async def answer(self, call: Call) -> Answer:
            await asyncio.sleep(slow_s if call.request.item_id == "slow" else 0)
            return await super().answer(call)

    model = Uneven()
    many = [question("slow", "twin"), *questions(3000), question("late", "twin")]
    with CallLog(tmp_path / "calls.sqlite") as log:
        assert len(list(ask(many, model, log=log, settings=QUICK))) == 3002
    assert model.asked["slow"] + model.asked["late"] == 1


def test_a_fatal_error_lets_the_calls_on_their_way_come_in(tmp_path: Path) -> None:
    class Uneven(Scripted):
        async def answer(self, call: Call) -> Answer:
            if call.request.item_id == "0":
                raise Fatal("HTTP 401")
            await asyncio.sleep(0.2)
            return await super().answer(call)

    with CallLog(tmp_path / "calls.sqlite") as log:
        with pytest.raises(Fatal):
            list(ask(questions(4), Uneven("Yes."), log=log, settings=QUICK))
        assert log.summary()[0].n_answered == 3


def test_nothing_is_sent_after_the_reader_has_gone() -> None:
    model = Counting()
    responses = ask(questions(1000), model, settings=AskSettings(concurrency=1))
    next(responses)
    responses.close()
    n_asked = sum(model.asked.values())
    threading.Event().wait(0.05)
    assert sum(model.asked.values()) == n_asked


def test_an_open_generator_does_not_hold_up_the_end_of_the_program() -> None:
    code = (
        "from eyechart.asking import ask\nfrom eyechart.backends.scripted import Scripted\n"
        "from eyechart.records import Request, Turn\n"
        "many = (Request(str(i), 'answer', (Turn('user', (str(i),)),)) for i in range(10**6))\n"
        "responses = ask(many, Scripted('Yes.'))\nnext(responses)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_being_asked_too_fast_is_no_failure_while_others_are_answered() -> None:
    class OneAtATime(Counting):
        """Allows a call every 30 ms and does not say when to come back."""

        ready_at = 0.0

        async def answer(self, call: Call) -> Answer:
            now = asyncio.get_running_loop().time()
            if now < self.ready_at:
                raise Transient("HTTP 429", throttled=True)
            self.ready_at = now + 0.03
            return await super().answer(call)

    settings = AskSettings(concurrency=8, patience=Patience(attempts=3, backoff_s=0.01))
    responses = list(ask(questions(20), OneAtATime(), settings=settings))
    assert all(response.failure is None for response in responses)


def test_twins_of_a_refused_call_are_one_failure_in_the_log(tmp_path: Path) -> None:
    def script(request: Request) -> str:
        raise Refused("too long")

    twins = [question(str(i), "the same words") for i in range(10)]
    with CallLog(tmp_path / "calls.sqlite") as log:
        responses = list(ask(twins, Scripted(script), log=log))
        assert log.summary()[0].n_failed == 1
    assert all(response.failure for response in responses)


def test_two_runs_at_once_on_one_log_lose_and_double_nothing(tmp_path: Path) -> None:
    results: list[list[Response]] = []

    def work() -> None:
        with CallLog(tmp_path / "calls.sqlite") as log:
            results.append(list(ask(questions(500), Scripted("Yes."), log=log, settings=QUICK)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(result) for result in results] == [500, 500]
    with CallLog(tmp_path / "calls.sqlite") as log:
        assert log.summary()[0].n_answered == 500


def test_a_broken_iterator_of_requests_is_raised_to_the_reader() -> None:
    def broken() -> Iterator[Request]:
        yield question("1")
        raise BadInput("line 2 is broken")

    with pytest.raises(BadInput, match="line 2 is broken"):
        list(ask(broken(), Scripted("Yes.")))


def test_lone_surrogates_and_nul_in_texts_survive_the_log(tmp_path: Path) -> None:
    odd = "a\ud800b\x00c \u202e"
    with CallLog(tmp_path / "calls.sqlite") as log:
        (first,) = ask([question("1", odd)], Scripted(odd), log=log)
        (again,) = ask([question("1", odd)], Scripted(odd), log=log)
    assert first.text == odd
    assert again.text is not None
    assert again.text.replace("\\ud800", "\ud800") == odd
