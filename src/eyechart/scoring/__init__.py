"""How each kind of item is scored: closed questions, judged replies, ratings.

In: an item and the responses to it. Out: its scores, or the reasons why there are none.
"""
