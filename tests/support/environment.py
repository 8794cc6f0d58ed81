"""The environment that the functions find in Lambda, and moto with our Lightsail: import this before any function."""

import os

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_REGION="us-east-1",
    AWS_LAMBDA_FUNCTION_NAME="create",
    SNAPSHOT_REGIONS="us-east-1,eu-central-1",
    COPY_REGIONS="eu-central-1,eu-west-1",
    EVENT_BUS_NAME="lightsail-snapshots",
    QUEUE_URL="https://sqs.us-east-1.amazonaws.com/123456789012/requests",
    DEAD_LETTER_QUEUE_URL="https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
    DEADLINE_SECONDS="21600",
    FIRST_RETRY_SECONDS="15",
    LOG_GROUP="prune-logs",
    RUNBOOK="docs/operations.md",
    TOPIC_ARN="arn:aws:sns:us-east-1:123456789012:topic",
    CHAT_PARAMETER="/lightsail-snapshots/chat",
    POWERTOOLS_SERVICE_NAME="lightsail-snapshots",
    POWERTOOLS_METRICS_NAMESPACE="LightsailSnapshots",
    POWERTOOLS_LOG_LEVEL="INFO",
)

import local.lightsail.moto  # noqa: F401 - it must be there before the functions make their clients
