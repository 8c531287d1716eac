"""Rules of the check `data`."""

from __future__ import annotations

from bot.finding import Level, Rule

LEAK = Rule(
    "data/leak",
    Level.FAILURE,
    "Training data holds words of an evaluation item.",
    "A model that has seen the question is not measured by it: its score says nothing.",
    "Take the record out of the training data, or the item out of the evaluation set.",
)
KNOWN = Rule(
    "data/leak-before",
    Level.NOTE,
    "Training data that the change touches held evaluation items before it.",
    "Scores on these items say nothing, whatever this change does.",
    "Take the records out, in this change or another.",
)
DUPLICATE = Rule(
    "data/duplicate",
    Level.WARNING,
    "Added records say what other records say: the same words, or nearly.",
    "A record that comes often is learnt by heart, and a split across it leaks.",
    "Remove the copies, or raise data.duplicates or data.max_share if they are meant.",
)
UNREADABLE = Rule(
    "data/unreadable",
    Level.UNKNOWN,
    "A data file or an evaluation set cannot be read as what its name says.",
    "What cannot be read cannot be searched: it could hold anything.",
    "Write the file again, whole and in UTF-8.",
)
TOO_LARGE = Rule(
    "data/too-large",
    Level.UNKNOWN,
    "A data file or an evaluation set is beyond the policy's bounds; a note without evaluation"
    " sets.",
    "What lies beyond was not searched.",
    "Split the file, or raise data.max_bytes or data.max_records.",
)
NOT_AT_HAND = Rule(
    "data/not-at-hand",
    Level.UNKNOWN,
    "Training data behind a pointer or a link is not at hand; a note without evaluation sets.",
    "Data that was not seen may hold what the model is measured by.",
    "Fetch it where the check runs: git lfs pull, or dvc pull.",
)
UNEQUIPPED = Rule(
    "data/unequipped",
    Level.UNKNOWN,
    "A library that reads or compares this data is not installed; a note without evaluation sets.",
    "What was not compared is not known to be clean.",
    "Install modelwarden[audit], and pyarrow for parquet.",
)
FORMAT = Rule(
    "data/format",
    Level.UNKNOWN,
    "A data file or an evaluation set is in a format that is not read; a note without evaluation"
    " sets.",
    "What is not read cannot be searched: it may hold what the model is measured by.",
    "Write it as JSONL or parquet, or name what is trained on under data.training.",
)
RULES = (LEAK, KNOWN, DUPLICATE, UNREADABLE, FORMAT, TOO_LARGE, NOT_AT_HAND, UNEQUIPPED)
