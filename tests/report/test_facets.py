"""Which facets items are split by, in which order, and crossed with each other."""

from __future__ import annotations

from collections.abc import Sequence

from eyechart.records import FacetValue, Item, Kind
from eyechart.report.facets import Facet, crossings_of, facets_of


def items(*facets: dict[str, FacetValue], kinds: Sequence[Kind] = ("single",)) -> list[Item]:
    """An item with each of these facets, the kinds in turn."""
    return [Item(str(i), kinds[i % len(kinds)], "?", (), facets=f) for i, f in enumerate(facets)]


def found(facets: Sequence[Facet]) -> dict[str, dict[str, int]]:
    return {f.name: dict(zip(f.values, map(len, f.members), strict=True)) for f in facets}


MIXED = items(
    *({"scope": "Local", "camera": "late"} for _ in range(4)),
    *({"scope": "Global", "camera": "early"} for _ in range(3)),
    *({"scope": "Local", "camera": "early"} for _ in range(2)),
    *({"scope": "whole", "camera": "late"} for _ in range(2)),
    kinds=("open", "single"),
)


def names_and_values(order: dict[str, dict[str, int]] | None) -> list[tuple[str, tuple[str, ...]]]:
    return [(facet.name, facet.values) for facet in facets_of(MIXED, order)]


def test_without_an_order_the_kind_comes_first_and_values_as_they_appear() -> None:
    assert names_and_values(None) == [
        ("kind", ("single", "open")),
        ("camera", ("late", "early")),
        ("scope", ("Local", "Global", "whole")),
    ]


def test_facets_and_values_come_in_the_order_wanted_and_others_after_them() -> None:
    order = {"": {"": 11}, "scope": {"Global": 9, "Local": 9}, "kind": {"open": 1}, "colour": {}}
    assert names_and_values(order) == [
        ("scope", ("Global", "Local", "whole")),
        ("kind", ("open", "single")),
        ("camera", ("late", "early")),
    ]


def test_an_order_of_numbers_is_that_of_their_texts() -> None:
    levels = items(*({"level": level} for level in (1, 2, 10) * 2))
    (facet,) = facets_of(levels, {"level": ["10", "2"]})
    assert facet.values == ("10", "2", "1")


def test_of_two_facets_that_split_alike_the_one_wanted_first_is_kept() -> None:
    twice = items(*({"a": name, "b": name} for name in "xxyy"))
    assert [facet.name for facet in facets_of(twice)] == ["a"]
    assert [facet.name for facet in facets_of(twice, {"b": ()})] == ["b"]


def test_facets_that_are_wanted_crossed_are_counted_in_that_order() -> None:
    order = {"camera/scope": ("early/Local", "early/Global"), "kind/camera": ()}
    assert found(crossings_of(MIXED, order)) == {
        "camera/scope": {"early/Local": 2, "early/Global": 3, "late/Local": 4, "late/whole": 2},
        "kind/camera": {"open/late": 3, "single/late": 3, "open/early": 3, "single/early": 2},
    }
    assert "camera/scope" not in found(facets_of(MIXED, order))


def test_an_item_that_lacks_a_facet_is_in_no_crossing() -> None:
    some = [*MIXED, *items({"scope": "Local"}, {"camera": "late"}, {"scope": ""})]
    (facet,) = crossings_of(some, {"camera/scope": ()})
    assert sum(map(len, facet.members)) == len(MIXED)


def test_a_crossing_that_splits_as_one_facet_does_or_that_items_lack_is_left_out() -> None:
    one_camera = items(*({"scope": scope, "camera": "late"} for scope in "xxyy"))
    assert crossings_of(one_camera, {"camera/scope": (), "scope/colour": ()}) == ()


def test_a_facet_with_a_stroke_in_its_name_is_no_crossing() -> None:
    stroke = items(*({"camera/scope": name, "camera": "a", "scope": "b"} for name in "xxyy"))
    assert found(facets_of(stroke, {"camera/scope": "yx"})) == {"camera/scope": {"y": 2, "x": 2}}
    assert crossings_of(stroke, {"camera/scope": "yx"}) == ()
