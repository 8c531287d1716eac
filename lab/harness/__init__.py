"""Task files of lm-evaluation-harness, read without running code of theirs."""
