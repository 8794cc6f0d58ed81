"""The environment of the functions, if there is none yet: import this before any function."""

import os

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "create",
    "SNAPSHOT_REGIONS": "us-east-1",
    "EVENT_BUS_NAME": "lightsail-snapshots",
    "QUEUE_URL": "https://queue",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "DEADLINE_SECONDS": "21600",
    "FIRST_RETRY_SECONDS": "15",
    "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
    "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
}
for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)
