"""People as one more model: their scores, how far they agree, and the ceiling that this implies.

In: items and the CSV file with people's answers to them. Out: `People`: ordinary scores, tables and
notes. Asks no model, writes no file.
"""

from __future__ import annotations

from eyechart.people.people import People as People
from eyechart.people.people import people_of as people_of
