"""`notify`: writes what people read about an event, publishes it to the topic, and posts it to the chat if any.

A chat that fails does not stop the topic, nor the topic the chat. If SNS does not take a message, Lambda retries the
event. If the chat does not take it after a second attempt, a metric counts that, and its alarm tells the topic.
"""

import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.parameters import read_secret
from lightsail_snapshots.aws.topic import Topic
from lightsail_snapshots.chat import ChatError, post
from lightsail_snapshots.messages import ALARM_STATE_CHANGE, compose
from lightsail_snapshots.messages.message import Message, text_at
from lightsail_snapshots.observability import logger
from lightsail_snapshots.settings import NotifySettings

# Made in Lambda's init phase, where the CPU is not throttled.
settings = NotifySettings.from_environment(os.environ)
topic = Topic(settings.topic_arn, settings.region)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Tell people about one event; raise an AwsError if SNS does not take the message, so that Lambda retries it."""
    with logger.append_context_keys(correlation_id=text_at(event, "id"), detail_type=text_at(event, "detail-type")):
        message = compose(event, settings.runbook)
        if message is None:
            logger.info("Ignored an event with an unknown detail-type", source=text_at(event, "source"))
            return {"state": "ignored"}
        try:
            _publish(event, message)
        finally:
            _post(message)
    return {"state": "notified", "subject": message.subject}


def _publish(event: Mapping[str, Any], message: Message) -> None:
    """Publish to the topic, except what CloudWatch has published itself."""
    if text_at(event, "detail-type") != ALARM_STATE_CHANGE:
        topic.publish(message.subject, message.text)
        logger.info("Published a message", subject=message.subject)


def _post(message: Message) -> None:
    """Post to the chat. Each post counts, also one that succeeds: an alarm needs data points."""
    if settings.chat_parameter is None:
        return
    failed = 0
    try:
        post(read_secret(settings.chat_parameter, settings.region), message.text)
        logger.info("Posted a message to the chat", subject=message.subject)
    except (AwsError, ChatError) as error:
        failed = 1
        logger.error("Could not post a message to the chat", error=str(error))
    with single_metric("ChatPostsFailed", MetricUnit.Count, failed):
        pass
