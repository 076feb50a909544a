"""Wrong timestamps on demand in MPEG transport streams, as bad reception leaves them."""

from __future__ import annotations

from pathlib import Path

VIDEO_PID, _PACKET, _CLOCK = 0x100, 188, 90_000


def shift_stamp(path: Path, position: int, shift_s: float, *, pid: int = VIDEO_PID) -> Path:
    """Move the PTS of the stream's PES packet at `position`, counted from 0, by `shift_s`; returns `path`."""
    data = bytearray(path.read_bytes())
    at = _pes_starts(data, pid)[position] + 9
    pts = (
        (data[at] >> 1 & 7) << 30 | data[at + 1] << 22 | data[at + 2] >> 1 << 15 | data[at + 3] << 7 | data[at + 4] >> 1
    )
    pts += round(shift_s * _CLOCK)
    data[at] = data[at] & 0xF1 | (pts >> 30 & 7) << 1
    data[at + 1 : at + 3] = pts >> 22 & 255, pts >> 15 << 1 & 255 | 1
    data[at + 3 : at + 5] = pts >> 7 & 255, pts << 1 & 255 | 1
    path.write_bytes(data)
    return path


def _pes_starts(data: bytearray, pid: int) -> list[int]:
    """Return where the stream's PES packets begin, their headers included."""
    begins = (at for at in range(0, len(data), _PACKET) if data[at + 1] & 0x40)
    own = (at for at in begins if (data[at + 1] & 31) << 8 | data[at + 2] == pid)
    return [at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0) for at in own]
