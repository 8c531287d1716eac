"""What people read of a release: the card and the notes."""
