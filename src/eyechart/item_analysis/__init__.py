"""Where models fail: what several runs on the same items say of each item, and of each other.

In: items and the scores of runs. Out: an `Analysis` for a benchmark's maintainer: items that every
model misses, that are answered right without their picture, whose key is likely wrong; how hard
each item is; how alike models are. No model is asked and no file is written here.
"""

from __future__ import annotations

from eyechart.item_analysis.analysis import Analysis as Analysis
from eyechart.item_analysis.analysis import analyse as analyse
from eyechart.item_analysis.answers import Answered as Answered
