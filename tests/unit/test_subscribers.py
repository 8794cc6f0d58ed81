"""What `make deploy` says at its end about who is notified."""

from lightsail_snapshots_cli.subscribers import format_subscriptions


def subscription(
    protocol: str, endpoint: str, arn: str = "arn:aws:sns:eu-central-1:111122223333:t:1"
) -> dict[str, str]:
    return {"Protocol": protocol, "Endpoint": endpoint, "SubscriptionArn": arn}


def test_subscribers_who_have_not_confirmed_are_told_how() -> None:
    subscriptions = [
        subscription("https", "https://hooks.example.com/secret?token=1", "PendingConfirmation"),
        subscription("email", "ops@example.com"),
        subscription("email", "me@example.com", "PendingConfirmation"),
    ]
    assert format_subscriptions(subscriptions) == (
        "Notified of failures and of overdue instances:\n"
        "  https://hooks.example.com/...: gets nothing yet, and has to confirm first\n"
        "  me@example.com: gets nothing yet, and has to confirm first, by the link in a mail from AWS Notifications\n"
        "  ops@example.com: confirmed\n"
    )


def test_topic_without_subscribers_says_that_nobody_is_notified() -> None:
    assert format_subscriptions([]) == (
        "Nobody is notified of failures and of overdue instances. Set notify in plans.toml, and deploy again.\n"
    )
