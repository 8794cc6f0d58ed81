"""Text of others, as people and log tools can read it."""


def clean(text: str) -> str:
    """Remove what nobody can see: control characters, bidirectional and zero-width marks, lone surrogates.

    Newlines stay; every other kind of space, line and paragraph separators included, becomes a space.
    """
    return text if text.isprintable() else "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return " " if character.isspace() else ""
