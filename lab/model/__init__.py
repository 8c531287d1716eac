"""Models as files and loaded: looked at, fingerprinted, proven."""
