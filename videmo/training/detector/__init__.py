"""The face detector: pictures with boxed faces become a preset."""
