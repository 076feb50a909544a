"""Trains and measures expression classifiers on FER+ votes and FER2013 labels."""
