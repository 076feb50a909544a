"""Frames become boxes: face detectors and the stage that runs them in batches."""
