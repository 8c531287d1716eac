"""Where the ledger of releases is kept: a branch of the repository, and the tags."""
