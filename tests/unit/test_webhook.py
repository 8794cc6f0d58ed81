"""What is posted to each kind of chat."""

import pytest

from lightsail_snapshots.messages.webhook import payload

HOSTILE = "<!channel> & @everyone `x` [a](http://b) *c*\n\nsecond"


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://chat.example.com/hooks/x",
        "https://discord.com/api/webhooks/1/x/slack",
    ],
)
def test_slack_gets_text_without_anything_that_notifies(address: str) -> None:
    assert payload(address, HOSTILE) == {
        "text": "&lt;!channel&gt; &amp; @everyone `x` [a](http://b) *c*\n\nsecond",
    }


def test_discord_gets_a_block_of_code_that_ends_where_the_text_ends() -> None:
    assert payload("https://discord.com/api/webhooks/1/x", HOSTILE) == {
        "content": "```\n<!channel> & @everyone 'x' [a](http://b) *c*\n\nsecond\n```",
        "allowed_mentions": {"parse": []},
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://prod-01.westeurope.logic.azure.com:443/workflows/0/triggers/manual/paths/invoke?sig=x",
        "https://a.b.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/0/triggers/x?sig=x",
    ],
)
def test_teams_gets_a_card_with_a_block_that_is_no_markdown_for_each_line(address: str) -> None:
    posted = payload(address, HOSTILE)
    [attachment] = posted["attachments"]
    assert (posted["type"], attachment["content"]["type"]) == ("message", "AdaptiveCard")
    first, second = attachment["content"]["body"]
    assert (first["type"], first["inlines"]) == (
        "RichTextBlock",
        [{"type": "TextRun", "text": HOSTILE.splitlines()[0]}],
    )
    assert second["inlines"][0]["text"] == "second"
