"""A GitHub for tests: `with FakeGitHub(tmp_path) as hub: ...`."""

from tests.githubfake.hub import FakeGitHub

__all__ = ["FakeGitHub"]
