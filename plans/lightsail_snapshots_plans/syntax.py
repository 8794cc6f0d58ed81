"""Explains why a file is not TOML: the line, and what is probably wrong with it."""

import re
import tomllib
from collections.abc import Iterator

_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_CURLY_QUOTES = re.compile("[\u2018-\u201f]")
_BARE_VALUE = re.compile(r"""\s*(?P<key>[\w.-]+)\s*=\s*(?P<value>[^"'\[{#]*?)\s*(?:#.*)?""")
_BARE_WORD = re.compile(r"""(?<!["'\w.-])[\w.:*@/-]*[A-Za-z][\w.:*@/-]*(?!["'\w.-]|\s*=)""")


def explain_syntax_error(text: str, error: str) -> tuple[int, str]:
    """Return the line that tomllib complains about, and the likely cause."""
    lines = text.splitlines() or [""]
    position = _POSITION.search(error)
    number = min(int(position["line"]), len(lines)) if position and position["line"] else len(lines)
    column = int(position["column"]) if position and position["column"] else 0
    message = _POSITION.sub(f" at column {column}" if column else " at the end of the file", error)
    causes = _likely_causes(lines[number - 1], column, error)
    return number, next(causes, message[:1].lower() + message[1:])


def _likely_causes(line: str, column: int, error: str) -> Iterator[str]:
    """Yield what may be wrong with a line, the likeliest cause first."""
    if _CURLY_QUOTES.search(line):
        yield 'replace the curly quotes with straight ones: "'
    bare = _BARE_VALUE.fullmatch(line)
    if bare and bare["value"] and not _is_value(bare["value"]):
        yield _quoted(bare["value"], f"{bare['key']} = ")
    if line.count('"') % 2:
        yield 'a closing " is missing'
    if line.count("{") > line.count("}"):
        yield "a table in braces must end on the same line; or give it a header, such as [plans.daily.select]"
    if re.search(r",\s*}", line):
        yield "remove the comma before the closing }"
    for word in _BARE_WORD.finditer(line):
        if word.start() < column <= word.end() and not error.startswith("Expected"):
            yield _quoted(word[0])
    if error.startswith("Unclosed"):
        yield "a comma or a closing bracket is missing, here or in a line above"


def _is_value(text: str) -> bool:
    try:
        tomllib.loads(f"key = {text}")
    except tomllib.TOMLDecodeError:
        return False
    return True


def _quoted(value: str, before: str = "") -> str:
    if value.lower() in ("true", "false"):
        return f"write {before}{value.lower()}, in lower case"
    return f'text must be in quotes: {before}"{value}"'
