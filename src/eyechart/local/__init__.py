"""Models on this machine: checkpoints that transformers loads, run in batches.

    call --prompting, pictures--> ready call --trees--> batch --device--> answers

One direction: a call is written as the model's own prompt and its pictures are made the model's
inputs (`Ready`); ready calls of the same pictures become a tree that shares its beginning
(`Tree`); trees fill batches; a device computes a batch and says what came of each call.
"""
