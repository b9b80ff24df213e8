"""What may be spent, and what was: calls, tokens, money.

In: limits, and the usage of each call. Out: whether one more call can be afforded. What a call will
cost is unknown before it is answered, so each call on its way holds back the most that it can cost:
its token limit out, and as many tokens in as the dearest call so far. Until the first is answered,
calls with a token or money limit go one at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eyechart.errors import BadInput
from eyechart.records import Request, Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens in and out."""

    usd_in: float = 0.0
    usd_out: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= usd < math.inf for usd in (self.usd_in, self.usd_out)):
            raise BadInput(f"expected prices of 0 or more, not {self.usd_in} and {self.usd_out}")

    def of(self, usage: Usage) -> float:
        """The price of one call in US dollars.

        >>> Price(1.0, 10.0).of(Usage(1_000_000, 100_000))
        2.0
        """
        tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
        return (tokens_in * self.usd_in + tokens_out * self.usd_out) / 1e6


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may spend; None is no limit.

    `calls`: answered calls. Answers from the log cost nothing; failed calls are not counted.
    """

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    price: Price = Price()

    def __post_init__(self) -> None:
        if any(
            limit is not None and not limit >= 0 for limit in (self.calls, self.tokens, self.usd)
        ):
            raise BadInput(f"expected budgets of 0 or more, not {self}")
        if self.usd is not None and self.price == Price():
            raise BadInput("a budget in US dollars needs a price: --price IN,OUT for a million")

    @property
    def needs_usage(self) -> bool:
        """Whether it can only be kept where the endpoint counts tokens."""
        return self.tokens is not None or self.usd is not None


class Purse:
    """What is left of a budget while calls are on their way; `spent` before counts too."""

    def __init__(
        self, budget: Budget, *, n_calls: int = 0, tokens: int = 0, usd: float = 0.0
    ) -> None:
        self.budget = budget
        self.n_calls, self.tokens, self.usd = n_calls, tokens, usd
        self.n_pending = self._pending_tokens = 0
        self._pending_usd = 0.0
        self._n_paid = self._dearest_in = self._dearest_out = 0

    def most_of(self, request: Request) -> Usage:
        """The most that a request can use, as far as that is known."""
        return Usage(self._dearest_in, request.sampling.max_tokens or self._dearest_out)

    def affords(self, most: Usage) -> bool:
        """Whether one more call fits, which uses so much at most, beside those on their way."""
        budget = self.budget
        if budget.calls is not None and self.n_calls + self.n_pending >= budget.calls:
            return False
        if budget.needs_usage and self._n_paid == 0 and self.n_pending:
            return False
        tokens = self.tokens + self._pending_tokens + _total(most)
        usd = self.usd + self._pending_usd + budget.price.of(most)
        fits = budget.tokens is None or tokens <= budget.tokens
        return fits and (budget.usd is None or usd <= budget.usd)

    def take(self, most: Usage) -> None:
        """A call sets off."""
        self.n_pending += 1
        self._pending_tokens += _total(most)
        self._pending_usd += self.budget.price.of(most)

    def give_back(self, most: Usage) -> None:
        """A call failed and is not charged."""
        self.n_pending -= 1
        self._pending_tokens -= _total(most)
        self._pending_usd -= self.budget.price.of(most)

    def pay(self, most: Usage, usage: Usage) -> None:
        """A call was answered and is charged."""
        self.give_back(most)
        self.n_calls += 1
        self._n_paid += 1
        self.tokens += _total(usage)
        self.usd += self.budget.price.of(usage)
        self._dearest_in = max(self._dearest_in, usage.tokens_in or 0)
        self._dearest_out = max(self._dearest_out, usage.tokens_out or 0)


def _total(usage: Usage) -> int:
    return (usage.tokens_in or 0) + (usage.tokens_out or 0)
