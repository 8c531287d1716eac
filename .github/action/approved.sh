#!/usr/bin/env bash
# Fetches the head of pull request NUMBER as objects, if it still begins with HEAD.
#
# Writes the step output `head`, a full commit id. Nothing is checked out.
set -euf -o pipefail

if [[ ! $NUMBER =~ ^[1-9][0-9]{0,9}$ ]]; then
  echo "::error::input pull-request: a number such as 42"
  exit 2
fi
if [[ ! $HEAD =~ ^[0-9a-f]{12,64}$ ]]; then
  echo "::error::input head: at least 12 hex digits, in small letters"
  exit 2
fi
git fetch --quiet --no-tags --no-recurse-submodules --force origin \
  "refs/pull/$NUMBER/head:refs/modelwarden/head"
found="$(git rev-parse --verify 'refs/modelwarden/head^{commit}')"
if [[ $found != "$HEAD"* ]]; then
  echo "::error::the head of pull request $NUMBER is ${found:0:12} by now, not ${HEAD:0:12}: look at it, then start again with head ${found:0:12}"
  exit 1
fi
echo "head=$found" >>"$GITHUB_OUTPUT"
