"""What is printed of files and captions that others made."""

import unicodedata


def printable(text: object) -> str:
    """The text with a mark in place of each character that steers a terminal; tabs and line ends stay."""
    return "".join(
        letter if letter in "\t\n" or unicodedata.category(letter) not in ("Cc", "Cs") else "\N{REPLACEMENT CHARACTER}"
        for letter in str(text)
    )
