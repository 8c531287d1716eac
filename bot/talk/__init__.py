"""ChatOps: one table of commands, the grammar of comments, who may say what."""
