"""OpenVINO: the fastest runtime on CPUs, fed from a copy of the Keras network that the preset holds."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.errors import PresetError
from videmo.inference.archive import read_members, unreadable
from videmo.inference.base import whole_batches

GRAPH: Final = "model.xml"
VALUES: Final = "model.bin"
"""Members of a preset's openvino.zip: OpenVINO's intermediate representation."""

# OpenVINO tells formats by their first bytes; others than its own may name further files, which it would read.
_XML: Final = b"<?xml"

# In float32, so that results agree with Keras; its default on newer processors is bfloat16. One request at a time gets
# all cores: the batches are large enough, and several requests at once would only share them. Threads are not tied to
# cores: those of two networks, or of OpenVINO and the decoder, would wait for the same core while another one idles.
_CONFIG: Final = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
_MOST_SHAPES: Final = 16

# Larger batches gain nothing (7.1, 5.8 and 5.7 ms a picture of 480x288 px in batches of 1, 4 and 8 on two cores), and
# each size takes a third of a second to compile, or as long as about so many rows.
_MOST_ROWS: Final = 4 if (os.cpu_count() or 1) < 8 else 16
_ROWS_WORTH_A_SIZE: Final = 64

# What Python makes of the C++ exceptions of damaged graphs.
_REFUSED: Final = (RuntimeError, LookupError, ValueError, TypeError, OverflowError, MemoryError)


def import_openvino() -> Any:
    """Return the package `openvino`, without the telemetry that its import would send to Google Analytics.

    It writes an id of the user into the home folder, too. Without the package openvino_telemetry it does neither.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # Python's way to say: not there
    import openvino

    return openvino


class OpenVinoNetwork:
    """A network compiled once for every shape it is fed, which runs a third faster than one for any shape.

    Implements `videmo.inference.base.Network`.
    """

    def __init__(self, archive: Path, *, batch_size: int) -> None:
        """Reads `archive`; raises PresetError when it does not hold a network."""
        self._archive = archive
        self._most_rows = min(batch_size, _MOST_ROWS)
        self._core = import_openvino().Core()
        # Never written to disk: the model is compiled from these bytes.
        self._graph, self._values = read_members(archive, (GRAPH, VALUES))
        if not self._graph.startswith(_XML):
            raise PresetError(f"{archive}: {GRAPH} is no XML: make it anew with `videmo models export`")
        try:
            model = self._read()
            self._input_shape, self._output_shape = _shape_of_row(model.input(0)), _shape_of_row(model.output(0))
        except _REFUSED as error:
            raise unreadable(archive, error) from error
        self._compiled: dict[tuple[tuple[int, ...], str], Any] = {}
        self._filled_rows: Counter[tuple[int, ...]] = Counter()  # by shape of a row: computed for nothing so far

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input row."""
        return self._input_shape

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of one output row."""
        return self._output_shape

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the model's float32 output (n, ...) for rows (n, ...)."""
        parts = [self._run(batch) for batch in whole_batches(self._fill(rows), self._most_rows)]
        return (parts[0] if len(parts) == 1 else np.concatenate(parts))[: len(rows)]

    def _fill(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the rows with empty ones behind them, for whole batches alone, until smaller sizes would pay off."""
        missing, shape = -len(rows) % self._most_rows, rows.shape[1:]
        if not missing or self._filled_rows[shape] >= _ROWS_WORTH_A_SIZE:
            return rows
        self._filled_rows[shape] += missing
        return np.concatenate([rows, np.zeros((missing, *shape), rows.dtype)])

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Return the output of a batch as an array of its own: OpenVINO writes the next one into the same memory."""
        key = (batch.shape, batch.dtype.name)
        if key not in self._compiled:
            if len(self._compiled) >= _MOST_SHAPES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = self._compile(*key)
        return np.array(self._compiled[key](batch, share_inputs=True)[0], np.float32)

    def _read(self) -> Any:
        return self._core.read_model(self._graph, self._values)

    def _compile(self, shape: tuple[int, ...], dtype: str) -> Any:
        openvino = import_openvino()
        from openvino.preprocess import PrePostProcessor

        model = self._read()
        model.reshape(list(shape))
        # Values of another type are converted on the way into the first layer.
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type(np.dtype(dtype)))
        try:
            return self._core.compile_model(steps.build(), "CPU", _CONFIG)
        except _REFUSED as error:
            raise unreadable(self._archive, error) from error


def _shape_of_row(port: Any) -> tuple[int | None, ...]:
    return tuple(None if size.is_dynamic else size.get_length() for size in list(port.partial_shape)[1:])
