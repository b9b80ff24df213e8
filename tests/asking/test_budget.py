"""What may be spent."""

from __future__ import annotations

import pytest

from eyechart.asking.budget import Price
from eyechart.errors import BadInput


@pytest.mark.parametrize("usd", [-1.0, float("nan"), float("inf")])
def test_a_price_is_a_number_of_0_or_more(usd: float) -> None:
    for prices in ((usd, 1.0), (1.0, usd)):
        with pytest.raises(BadInput, match="expected prices of 0 or more, not"):
            Price(*prices)
