"""What the peers share: the key of a group, and an e-mail address that can be used."""

import unicodedata

EMAIL = r"^[^@\s]+@[^@.\s]+(\.[^@.\s]+)*$"
TARGET = "everyone"
_FORMAT = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF])


def group_key(value: str) -> str:
    """Upper and lower case, forms of letters and runs of white space are one; the Turkish i has no dot or one."""
    text = value.translate(_FORMAT)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    text = unicodedata.normalize("NFKC", text.replace("ı", "i").replace("i\u0307", "i"))
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())
