"""Every error videmo raises on purpose, under one root.

    VidemoError                    catch this one to catch them all
    ├── UsageError                 an option, setting or name that cannot be used        exit code 2
    ├── VideoError                 one input cannot be read or written; others go on     exit code 3
    ├── DataError                  training or evaluation data that is not as it must be exit code 2
    ├── PresetError                a model folder that is missing, damaged or unfit      exit code 2
    ├── OutputError                results cannot be written (disk full, no permission)  exit code 1
    ├── Interrupted                stopped by the user (Ctrl-C, SIGTERM)                 exit code 130, 143
    └── StageError                 a stage broke; names the stage and the video          exit code 1

The message is one line for a person: what is affected, why, and the way out.
"""

from __future__ import annotations

from videmo.filenames import show_name

_MOST_LETTERS = 1000


class VidemoError(Exception):
    """Root of all errors raised on purpose; `exit_code` is what the command line returns for it.

    The message is text for a terminal: control characters that came with it are escaped, very long lines cut in the
    middle (where a quote is missing, the rest of a table is one cell).
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__("\n".join(_shorten(show_name(line)) for line in message.split("\n")))


def _shorten(line: str) -> str:
    half = _MOST_LETTERS // 2
    return line if len(line) <= _MOST_LETTERS else f"{line[:half]} … {line[-half:]}"


class UsageError(VidemoError):
    """An option, setting or name that cannot be used as given."""

    exit_code = 2


class VideoError(VidemoError):
    """One input that cannot be analysed; it fails alone, the others go on. Its message is one line of plain text."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(show_name(message))


class DataError(VidemoError):
    """Training or evaluation data that is not as it must be."""

    exit_code = 2


class PresetError(VidemoError):
    """A model folder that is missing, damaged or unfit for the task."""

    exit_code = 2


class OutputError(VidemoError):
    """Results that cannot be written: disk full, no permission."""


class Interrupted(VidemoError):  # noqa: N818 - the user's wish, not a fault
    """Stopped by the user, with Ctrl-C or (exit code 143) SIGTERM; what was finished is kept."""

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StageError(VidemoError):
    """A stage that broke for a reason of its own; the cause is kept as `__cause__`."""

    def __init__(self, stage: str, video_id: str, cause: BaseException) -> None:
        super().__init__(f"{stage} failed on {video_id}: {type(cause).__name__}: {cause}")
        self.stage = stage
        self.video_id = video_id
