"""What is posted to a webhook, in the shape that its chat accepts. Nothing in the text is markup or notifies anyone.

Slack and what is compatible with it take `{"text": ...}` (its page "Sending messages using incoming webhooks"), Discord
takes `content` ("Execute Webhook"), Teams a message with an Adaptive Card ("Create incoming webhooks with Workflows").
"""

from typing import Any
from urllib.parse import urlsplit


def payload(address: str, text: str) -> dict[str, Any]:
    """Return what to post as JSON. The path tells which chat it is, so that a relay on another host works too."""
    path = urlsplit(address).path
    if "/workflows/" in path:
        return _for_teams(text)
    if path.startswith("/api/webhooks/") and not path.endswith("/slack"):
        return _for_discord(text)
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _for_discord(text: str) -> dict[str, Any]:
    block = text.replace("`", "'")
    return {"content": f"```\n{block}\n```", "allowed_mentions": {"parse": []}}


def _for_teams(text: str) -> dict[str, Any]:
    # A RichTextBlock shows text as it is, a TextBlock would read it as Markdown.
    lines = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in text.splitlines() if line
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": lines,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}
