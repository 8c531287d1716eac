"""What a token may do in a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.githubfake.people import Identity, allows

if TYPE_CHECKING:
    from tests.githubfake.repository import Repository


def reaches(repo: Repository, who: Identity, need: str) -> bool:
    """Whether the repository exists for this identity (else GitHub says 404) and `need` holds."""
    token = who.token
    if token is None:
        return False
    if token.installation is None:
        writes = need.endswith(":write")
        return repo.rank(who.user) >= (2 if writes else 0) or not (repo.private or writes)
    inside = repo.id in token.installation.repositories
    inside = inside and (token.repositories is None or repo.id in token.repositories)
    if not inside:
        return not repo.private and need.endswith(":read")
    return not need or allows(token.permissions, need) or need == "metadata:read"
