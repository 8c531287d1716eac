"""Which known licence a text holds, how it differs from it, and where in the file it stands."""
