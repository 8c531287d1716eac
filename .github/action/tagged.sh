#!/usr/bin/env bash
# Refuses a tag that is not in the history of branch MAIN, or that names another version.
set -euf -o pipefail

# As merged: what a branch has that was not merged is nobody's release.
if ! git merge-base --is-ancestor "$GITHUB_SHA" "refs/remotes/origin/$MAIN"; then
  echo "::error::$GITHUB_REF_NAME is not in the history of $MAIN"
  exit 1
fi
version="$(sed -n 's/^version = "\([^"]*\)"$/\1/p' pyproject.toml)"
if [[ $GITHUB_REF_NAME != "v$version" ]]; then
  echo "::error::the tag $GITHUB_REF_NAME is not v$version, the version in pyproject.toml"
  exit 1
fi
