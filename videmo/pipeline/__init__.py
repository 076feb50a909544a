"""The engine: channels, prefetching generators, batch workers and lanes; it knows nothing about video."""
