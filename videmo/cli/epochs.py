"""What every `videmo train` shows while it trains: a line for each epoch, and a bar on terminals."""

from __future__ import annotations

import sys

from tqdm import tqdm

from videmo.training.loop import Row, TrainingLoop


def train_in_sight(training: TrainingLoop) -> None:
    """Train to the end of the schedule; the bar goes to stderr, the lines to stdout."""
    layout = "{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
    with tqdm(total=1.0, initial=training.progress, bar_format=layout, leave=False, disable=None) as bar:

        def advance(progress: float) -> None:
            bar.update(progress - bar.n)

        training.on_step = advance
        training.run(show_row)


def show_row(row: Row) -> None:
    """Write the values of an epoch or a trial in one line."""
    tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()), file=sys.stdout)
