"""Which calls are computed together, where and when: trees, the window, devices, their threads."""
