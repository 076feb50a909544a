"""Boxes become identities over time: association, motion, shot changes."""
