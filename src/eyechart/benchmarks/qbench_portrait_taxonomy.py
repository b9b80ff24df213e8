"""Q-Bench-Portrait's taxonomy: facets and their values, subsets, and the size of each.

In: an item. Out: the subsets that it counts in. Reads nothing.

Wu et al. 2026, arXiv 2601.18346: Tables 2 to 6. `COUNTS` are whole numbers that the paper's
percentages imply, INFERRED: of its 1,175 figures (25 models) every one is a whole number of items,
or of half marks where open questions enter, over the count here.
"""

from __future__ import annotations

from collections.abc import Mapping

from eyechart.records import Item, Kind

SOURCES: Mapping[str, str] = {
    "NIs": "natural images",
    "SDIs": "synthetic distortion images",
    "AGIs": "AI-generated images",
    "AIs": "artistic images",
    "CGIs": "computer graphics images",
}
DATASETS: Mapping[str, tuple[str, int]] = {
    "CGFIQA-40k": ("NIs", 149),
    "PIQ": ("NIs", 184),
    "LiveBeauty": ("NIs", 196),
    "MEBEAUTY": ("NIs", 100),
    "KonIQ-10k": ("NIs", 147),
    "SPAQ": ("NIs", 118),
    "AVA": ("NIs", 500),
    "TAD66K": ("NIs", 82),
    "FIQA": ("SDIs", 145),
    "PIPAL": ("SDIs", 44),
    "KADID-10k": ("SDIs", 32),
    "AGHI-QA": ("AGIs", 217),
    "EvalMi-50K": ("AGIs", 179),
    "ArtEmis": ("AIs", 327),
    "BAID": ("AIs", 162),
    "CGIQA-6k": ("CGIs", 166),
    "NBU-CIQAD": ("CGIs", 17),
}
"""Each source data set's image source and number of images (Table 2)."""
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "Technical": ("Noise", "Blur", "Exposure", "Color", "Artifacts"),
    "AIGC": ("Anatomy", "Texture", "Semantics"),
    "Aesthetics": ("Emotion", "Composition", "Lighting", "Style"),
}
"""Each quality dimension's concerns (Table 4)."""
CODES: Mapping[Kind, str] = {"single": "SC", "multiple": "MC", "true_false": "TF", "open": "OE"}
"""The paper's names of the kinds of questions."""
SCOPES = ("Global", "Local")
FACETS = ("image_source", "source_dataset", "dimension", "concern", "scope")
"""The facets of every item, in the order of reports."""
OVERALL = "Overall"

COUNTS: Mapping[str, int] = {
    **{"NIs": 1476, "SDIs": 221, "AGIs": 396, "AIs": 489, "CGIs": 183},
    **{"Technical": 1378, "AIGC": 353, "Aesthetics": 1034},
    **{"SC": 848, "MC": 830, "TF": 545, "OE": 542},
    OVERALL: 2765,
    **{"Noise": 118, "Blur": 805, "Exposure": 176, "Color": 82, "Artifacts": 197},
    **{"Anatomy": 118, "Texture": 204, "Semantics": 31},
    **{"Emotion": 311, "Composition": 407, "Lighting": 163, "Style": 153},
    **{"NIs/Technical": 1083, "NIs/Aesthetics": 393},
    **{"SDIs/Technical": 114, "SDIs/Aesthetics": 107},
    **{"AGIs/Technical": 25, "AGIs/AIGC": 353, "AGIs/Aesthetics": 18},
    "AIs/Aesthetics": 489,
    **{"CGIs/Technical": 156, "CGIs/Aesthetics": 27},
    **{"SC/Global": 441, "SC/Local": 407, "MC/Global": 431, "MC/Local": 399},
    **{"TF/Global": 247, "TF/Local": 298, "OE/Global": 244, "OE/Local": 298},
}
"""Items of each subset, in the order of the paper's columns."""

TABLES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "table3": (
        *(("Image Sources", name, name) for name in SOURCES),
        *(
            ("Quality Dimensions", heading, name)
            for heading, name in (("Tech.", "Technical"), ("AIGC", "AIGC"), ("Aes.", "Aesthetics"))
        ),
        *(("Question Types", code, code) for code in CODES.values()),
        ("", OVERALL, OVERALL),
    ),
    "table4": tuple(
        (group, concern, concern)
        for group, concerns in zip(
            ("Technical Distortions", "AIGC-specific Distortions", "Aesthetics"),
            DIMENSIONS.values(),
            strict=True,
        )
        for concern in concerns
    ),
    "table5": (
        *(("NIs", "Tech.", "NIs/Technical"), ("NIs", "Aes.", "NIs/Aesthetics")),
        ("NIs", OVERALL, "NIs"),
        *(("SDIs", "Tech.", "SDIs/Technical"), ("SDIs", "Aes.", "SDIs/Aesthetics")),
        ("SDIs", OVERALL, "SDIs"),
        *(("AGIs", "Tech.", "AGIs/Technical"), ("AGIs", "AIGC", "AGIs/AIGC")),
        *(("AGIs", "Aes.", "AGIs/Aesthetics"), ("AGIs", OVERALL, "AGIs")),
        ("AIs", "Aes.", "AIs/Aesthetics"),
        *(("CGIs", "Tech.", "CGIs/Technical"), ("CGIs", "Aes.", "CGIs/Aesthetics")),
        ("CGIs", OVERALL, "CGIs"),
    ),
    "table6": tuple(
        (code, scope, f"{code}/{scope}") for code in CODES.values() for scope in SCOPES
    ),
}
"""The paper's columns: the heading that several share, the column's own, and the subset."""


def subsets_of(item: Item) -> frozenset[str]:
    """The subsets that an item counts in, as keys of `COUNTS`.

    >>> item = Item("1", "open", "?", (), facets={"image_source": "AIs", "scope": "Global"})
    >>> sorted(subsets_of(item))
    ['AIs', 'OE', 'OE/Global', 'Overall']
    """
    source, dimension, concern, scope = (
        str(item.facets.get(name, "")) for name in ("image_source", "dimension", "concern", "scope")
    )
    code = CODES.get(item.kind, "")
    named = {OVERALL, source, dimension, concern, code}
    found = named | {f"{source}/{dimension}", f"{code}/{scope}"}
    return frozenset(found & COUNTS.keys())
