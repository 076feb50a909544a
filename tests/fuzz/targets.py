"""All fuzz targets by name."""

from __future__ import annotations

from fuzz import fuzzed_labels, fuzzed_models, fuzzed_runs, fuzzed_texts
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (fuzzed_runs, fuzzed_texts, fuzzed_models, fuzzed_labels)
    for target in module.TARGETS
}
