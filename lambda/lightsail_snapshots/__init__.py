"""What runs in Lambda: one handler a module, and the pure modules that decide."""

import gc

# A cold start imports boto3 and Powertools, whose objects are never garbage. To search them for cycles again and again,
# as Python's default of 2,000 allocations does, takes a tenth of the cold start. Invocations make hardly any cycles.
gc.set_threshold(100_000)


def end_init() -> None:
    """Look for garbage of invocations from now on, in a function that has thousands of them: it keeps 8 MiB free."""
    gc.freeze()  # what the init phase has made is never garbage
    gc.set_threshold(5_000)
