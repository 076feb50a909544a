"""Tables become answers after the run: timelines, summaries, charts; never reads a video."""
