"""One model on one device: trees of ready calls in, an outcome for each call out."""
