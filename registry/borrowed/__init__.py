"""What a project took from others: the register of it, and the NOTICE that follows from it."""
