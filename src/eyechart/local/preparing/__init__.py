"""A call in, what a model takes out: its prompt's tokens, pictures as its processor makes them."""
