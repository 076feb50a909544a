"""Files become frames: readers for videos and pictures, discovery of inputs, sampling by time."""
