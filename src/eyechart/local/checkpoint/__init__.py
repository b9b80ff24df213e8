"""An address in, a checked folder on this disk out; and the processor that lies in it."""
