"""What may be spent, and what was: calls, tokens, money.

In: limits and the usage of each call. Out: whether one more call can be afforded. A call's price is
unknown before it is answered, so each call on its way holds back as much as the dearest one so far;
until the first is answered, calls with a token or money limit go one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from eyechart.errors import BadInput
from eyechart.records import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens in and out."""

    usd_in: float = 0.0
    usd_out: float = 0.0

    def of(self, usage: Usage) -> float:
        """The price of one call in US dollars.

        >>> Price(1.0, 10.0).of(Usage(1_000_000, 100_000))
        2.0
        """
        tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
        return (tokens_in * self.usd_in + tokens_out * self.usd_out) / 1e6


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may spend; None is no limit. Answers found in the log cost nothing."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    price: Price = Price()

    def __post_init__(self) -> None:
        if self.usd is not None and self.price == Price():
            raise BadInput("a budget in US dollars needs a price: --price IN,OUT for a million")


class Purse:
    """What is left of a budget while calls are on their way."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.n_calls = self.tokens = self.n_pending = 0
        self.usd = 0.0
        self._dearest_tokens = 0
        self._dearest_usd = 0.0

    def affords_one(self) -> bool:
        """Whether one more call fits, counting those on their way."""
        budget, pending = self.budget, self.n_pending + 1
        if budget.calls is not None and self.n_calls + pending > budget.calls:
            return False
        if budget.tokens is None and budget.usd is None:
            return True
        if self.n_calls == 0 and self.n_pending:
            return False
        tokens = self.tokens + pending * self._dearest_tokens
        usd = self.usd + pending * self._dearest_usd
        fits_tokens = budget.tokens is None or tokens <= budget.tokens
        return fits_tokens and (budget.usd is None or usd <= budget.usd) and not self._empty()

    def _empty(self) -> bool:
        budget = self.budget
        spent_tokens = budget.tokens is not None and self.tokens >= budget.tokens
        return spent_tokens or (budget.usd is not None and self.usd >= budget.usd)

    def counts(self, usage: Usage) -> bool:
        """Whether this usage says enough to keep the budget by."""
        needs_tokens = self.budget.tokens is not None or self.budget.usd is not None
        return not needs_tokens or usage.tokens_in is not None or usage.tokens_out is not None

    def take(self) -> None:
        """A call sets off."""
        self.n_pending += 1

    def pay(self, usage: Usage) -> None:
        """A call was answered and is charged."""
        self.n_pending -= 1
        self.n_calls += 1
        tokens = (usage.tokens_in or 0) + (usage.tokens_out or 0)
        usd = self.budget.price.of(usage)
        self.tokens += tokens
        self.usd += usd
        self._dearest_tokens = max(self._dearest_tokens, tokens)
        self._dearest_usd = max(self._dearest_usd, usd)

    def give_back(self) -> None:
        """A call failed and is not charged."""
        self.n_pending -= 1
