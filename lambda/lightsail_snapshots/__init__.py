"""What the functions run: one handler per module, and the pure modules that decide."""

import gc

# A cold start imports botocore and Powertools, whose objects stay for good: looking through them for garbage meanwhile,
# at every 2,000th, takes a tenth of its time. Garbage in cycles is what an invocation hardly makes.
gc.set_threshold(100_000)
