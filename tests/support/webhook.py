"""A chat's webhook on this machine: it takes the shape that Slack, Teams or Discord documents, and no other."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0000/B0000/not-to-be-told"
PATHS: Mapping[str, str] = {
    "slack": f"/services/{SECRET}",
    "teams": f"/powerautomate/automations/direct/workflows/0f8b2bd1/triggers/manual/paths/invoke?sig={SECRET}",
    "discord": f"/api/webhooks/{SECRET}",
}


def _slack(body: dict[str, Any]) -> str | None:
    """Slack's page "Sending messages using incoming webhooks"."""
    [text] = body.values()
    return str(body["text"]) if "<" not in text else None


def _teams(body: dict[str, Any]) -> str | None:
    """Microsoft's page "Create incoming webhooks with Workflows for Microsoft Teams"."""
    [attachment] = body["attachments"]
    card = attachment["content"]
    is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive" and card["type"] == "AdaptiveCard"
    lines = [run["text"] for block in card["body"] for run in block["inlines"]]
    return "\n".join(lines) if is_card and body["type"] == "message" else None


def _discord(body: dict[str, Any]) -> str | None:
    """Discord's reference, "Execute Webhook": at most 2000 characters."""
    text = str(body["content"])
    return text if len(text) <= 2000 and body["allowed_mentions"] == {"parse": []} else None


_READERS: Mapping[str, Callable[[dict[str, Any]], str | None]] = {"slack": _slack, "teams": _teams, "discord": _discord}
_TAKEN = {"slack": 200, "teams": 202, "discord": 204}


@dataclass
class Webhook:
    """What was posted so far; `answers` are the statuses of the next posts, before any text is read."""

    url: str
    texts: list[str] = field(default_factory=list)
    posts: int = 0
    answers: list[int] = field(default_factory=list)

    def address(self, chat: str) -> str:
        """Return the address of one of the chats."""
        return f"{self.url}{PATHS[chat]}"

    def take(self, path: str, posted: bytes) -> int:
        """Return the status of an answer."""
        self.posts += 1
        if self.answers:
            return self.answers.pop(0)
        chat = next((chat for chat, known in PATHS.items() if known == path), None)
        if chat is None:
            return 404
        try:
            text = _READERS[chat](json.loads(posted))
        except (KeyError, ValueError, TypeError):
            return 400
        if text is None:
            return 400
        self.texts.append(text)
        return _TAKEN[chat]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Serve all three chats on a free port."""
    taken: Webhook

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = taken.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            if status == 302:
                self.send_header("Location", taken.address("slack"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        taken = Webhook(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield taken
        finally:
            server.shutdown()
            thread.join()
