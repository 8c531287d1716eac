# SPDX-License-Identifier: Apache-2.0
"""Tests of the text split: python -m unittest discover -s tests."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import prepare


class Split(unittest.TestCase):
    """The held-out side must not move when text is added."""

    def setUp(self) -> None:
        """Two short plays."""
        lines = "".join(f"A line of verse, number {n}.\n" for n in range(200))
        self.first = prepare.passages("first", lines, 60, 3)
        self.second = prepare.passages("second", lines.replace("verse", "prose"), 60, 3)

    def test_no_cluster_is_divided(self) -> None:
        """Neighbours stay on one side."""
        train, test = prepare.split(self.first, 0.3)
        self.assertTrue(train and test)
        self.assertFalse({c for c, _ in train} & {c for c, _ in test})

    def test_adding_a_play_moves_nothing(self) -> None:
        """A passage that was held out stays held out."""
        before = prepare.split(self.first, 0.3)[1]
        after = prepare.split(self.first + self.second, 0.3)[1]
        self.assertEqual(before, [p for p in after if p[0].startswith("first/")])


if __name__ == "__main__":
    unittest.main()
