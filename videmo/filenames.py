"""Names of files as text that every table, terminal and log line takes, and the way back to the file."""

from __future__ import annotations

import os
import re
from pathlib import Path

# Control characters, separators of lines and paragraphs, and bytes that are not UTF-8 (Python's surrogates, PEP 383).
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)
_SHOWN = re.compile(r"\\x([89a-f][0-9a-f])|\\u([0-9a-f]{4})")


def show_name(text: str | Path) -> str:
    r"""Return a path, or a message that holds one, on one line that can be encoded as UTF-8.

    A byte that is not UTF-8 becomes `\xff`, a control character or end of line its code point: `\u000a`. All other
    names stay as they are.

    Example:
        >>> show_name("a\nb.mp4"), show_name(os.fsdecode(b"caf\xe9.mp4"))
        ('a\\u000ab.mp4', 'caf\\xe9.mp4')
    """
    return _UNSHOWABLE.sub(_escape, str(text))


def cut_name(name: str, most_bytes: int) -> str:
    """Return as much of the start of a name as fits into a number of bytes: file systems count these, not letters.

    Example:
        >>> cut_name("clip", 3), cut_name("視頻", 5)
        ('cli', '視')
    """
    return name.encode()[:most_bytes].decode(errors="ignore")


def is_plain(name: str) -> bool:
    """Return whether a name is that of a file in the folder at hand, on any system: no path, drive or stream.

    Example:
        >>> is_plain("clip-1"), is_plain("../clip-1"), is_plain("C:clip-1")
        (True, False, False)
    """
    return name not in ("", ".", "..") and not set(name) & set("/\\:\0")


def find_shown(name: str) -> Path:
    r"""Return the path that `show_name` gave `name` for: the one of exactly that name where it exists.

    Example:
        >>> os.fsencode(find_shown("caf\\xe9.mp4"))
        b'caf\xe9.mp4'
    """
    literal = Path(name)
    return literal if os.path.lexists(literal) else Path(_SHOWN.sub(_unescape, name))


def _escape(letter: re.Match[str]) -> str:
    code = ord(letter[0])
    return f"\\x{code - 0xDC00:02x}" if code in _BYTES else f"\\u{code:04x}"


def _unescape(shown: re.Match[str]) -> str:
    byte, code = shown.groups()
    return chr(0xDC00 + int(byte, 16)) if byte else chr(int(code, 16))
