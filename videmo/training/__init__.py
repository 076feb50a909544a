"""Labelled pictures → presets: data, networks, training, evaluation and model cards."""
