"""Makes a network for OpenVINO compute in 8-bit integers: two to three times as fast, in half the file."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.inference.openvino_network import import_openvino

_WEIGHTED: Final = frozenset({"Convolution", "GroupConvolution", "MatMul"})


def import_nncf() -> Any:
    """Return the package `nncf`, without OpenVINO's telemetry; raises ImportError where the extra `int8` lacks."""
    import_openvino()  # keeps the telemetry out, which NNCF would load as well
    import nncf

    nncf.set_log_level(logging.WARNING)  # else it names every layer that it leaves as it is
    return nncf


def quantize(model: Any, samples: Iterable[NDArray[np.float32]]) -> Any:
    """Return a copy of an OpenVINO model whose weighted layers multiply integers (Jacob et al., 2018).

    What comes after the last weighted layers stays float32: coordinates do not fit into 8 bits. Ranges leave out one
    in 10,000 values of a sample at each end and span all samples; NNCF's default, the mean of each sample's largest,
    cuts off what large and tilted faces excite: portraits turned by 20 degrees seemed turned by 1.5 less, now by 0.5.

    Args:
        model: An OpenVINO model with one input.
        samples: Inputs of the kind it will be fed, each with its batch dimension; the ranges of values are theirs.

    Raises:
        ImportError: NNCF, which does it, is not installed: it comes with the extra `int8`.
    """
    nncf = import_nncf()
    inputs = list(samples)
    float_part = nncf.IgnoredScope(names=_after_last_weights(model), validate=False)
    ranges = _ranges(nncf.quantization.range_estimator)
    return nncf.quantize(
        model,
        nncf.Dataset(inputs),
        subset_size=len(inputs),
        ignored_scope=float_part,
        advanced_parameters=nncf.AdvancedQuantizationParameters(activations_range_estimator_params=ranges),
    )


def _ranges(estimators: Any) -> Any:
    """Return how NNCF's range estimators are to turn the values of the samples into the range of a layer."""
    ends = (estimators.AggregatorType.MIN, estimators.AggregatorType.MAX)
    quantile = estimators.StatisticsType.QUANTILE
    return estimators.RangeEstimatorParameters(
        *(estimators.StatisticsCollectorParameters(quantile, end, quantile_outlier_prob=1e-4) for end in ends)
    )


def _after_last_weights(model: Any) -> list[str]:
    """Return the names of the operations whose results reach no weighted layer; these layers are not among them."""
    leading: set[str] = set()
    trailing = []
    for operation in reversed(model.get_ordered_ops()):
        readers = [reader.get_node() for output in operation.outputs() for reader in output.get_target_inputs()]
        name = operation.get_friendly_name()
        if any(_is_weighted(reader) or reader.get_friendly_name() in leading for reader in readers):
            leading.add(name)
        elif not _is_weighted(operation):
            trailing.append(name)
    return trailing


def _is_weighted(operation: Any) -> bool:
    return operation.get_type_name() in _WEIGHTED
