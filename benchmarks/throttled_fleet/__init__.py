"""What becomes of a fleet while Lightsail throttles, on a virtual clock: `python -m benchmarks.throttled_fleet`.

The handlers of `fan_out` and `create` that ship run against models of the services: Lightsail has a bucket of calls
that refills at some rate, one for all operations or one for each; SQS hides a message for as long as the function says;
Lambda starts with five functions for a queue, and adds five a second up to the maximum. One thread runs at a time: the
one whose next answer comes first. So a run depends on its seed only, and on no machine.
"""
