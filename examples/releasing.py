"""The good change merged and released, as its maintainer would do it."""

from __future__ import annotations

from examples.project import ADA, Project, Say

VERSION = "1.0.0"


def without_mlflow(policy: str) -> str:
    """Return a policy whose releases stay out of MLflow, which the demo does not install."""
    return policy.replace("mlflow: sqlite:///mlflow.db", "mlflow: ''")


def release(project: Project, branch: str, say: Say) -> str:
    """Merge a branch and release it; return what `release show` says of it. Raises Stopped."""
    project.run("git", "merge", "--quiet", "--ff-only", branch)
    key = str(project.scratch / "release.key")
    project.run("modelwarden", "keys", "generate", key, "--no-passphrase")
    who = {f"GIT_{role}_NAME": ADA.name for role in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{role}_EMAIL": ADA.email for role in ("AUTHOR", "COMMITTER")}
    say(f"merging {branch} and releasing it: modelwarden release plan, run, verify, show")
    project.run("modelwarden", "release", "plan", env=who)
    project.run("modelwarden", "release", "run", "--key", key, env=who, each=_steps(say))
    project.run("modelwarden", "release", "verify", VERSION, "--key", f"{key}.pub", env=who)
    shown = project.run("modelwarden", "release", "show", VERSION, env=who)
    say(f"  {VERSION} is released and verified")
    return shown


def _steps(say: Say) -> Say:
    def tell(line: str) -> None:
        if line.startswith(("evidence:", "sign:", "record:")):
            say(f"  {line.strip()}")

    return tell
