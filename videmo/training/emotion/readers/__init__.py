"""Readers of labelled faces: one file per layout, all of which give a `source.Source`."""
