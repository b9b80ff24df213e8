"""Assessment (Q-Bench, A3): how well a model's ratings of photographs follow people's.

In: published result files, rated databases, or a finished run. Out: correlations with intervals and
tables beside the published ones. No model is asked here.
"""
