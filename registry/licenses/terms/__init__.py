"""What licences allow: reviewed facts with the sentence that says so, and verdicts from them."""
