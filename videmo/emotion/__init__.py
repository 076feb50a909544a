"""Faces become probabilities of expressions: alignment, labels, classifiers."""
