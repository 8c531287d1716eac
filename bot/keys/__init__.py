"""The commands about keys and what they protect: `modelwarden keys` and `modelwarden verify`."""
