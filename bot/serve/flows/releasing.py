"""Starts the project's release workflow. The App itself holds no right to release anything."""

from __future__ import annotations

from bot.checks.trust import at as trust_at
from bot.errors import TooLarge
from bot.github.errors import Denied, NotFound, Refused, Unavailable
from bot.github.values import Api, Target
from bot.people import Account
from bot.policy import Policy
from bot.repository import GitWorld
from bot.talk import releasing
from bot.talk.values import Release
from security.errors import SecurityError
from security.trust import access


def barred(opened: GitWorld, target: Target, policy: Policy, who: Account) -> str:
    """Say why the policy at the target's base does not let an account ask for a release.

    Names of the trust file count for the accounts it gives; one that cannot be read gives none.
    """
    try:
        trust = trust_at(opened, target.base)
    except (SecurityError, TooLarge):
        trust = None
    known = access.person(trust, access.Account(who.login, who.id)) if trust else None
    return releasing.barred(policy.release.who, who.login, known.name if known else "")


def start(api: Api, number: int, asked: Release) -> str:
    """Start the workflow for a pull request; return what is said of it, as markdown.

    Raises Limited, and nothing else: what is not started now is said, and asked for again.
    """
    try:
        page = api.dispatch(releasing.WORKFLOW, releasing.inputs(number, asked))
    except Denied:
        return releasing.unstarted(releasing.UNGRANTED, number, asked)
    except NotFound:
        return releasing.unstarted(releasing.ABSENT, number, asked)
    except Refused as error:
        return releasing.unstarted(releasing.refused(error.message), number, asked)
    except Unavailable:
        return releasing.unstarted(releasing.UNKNOWN, number, asked)
    return releasing.started(page)
