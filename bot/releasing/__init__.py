"""The commands about releases: `modelwarden release`."""
