#!/usr/bin/env bash
# Asks GitHub whose the commits are; writes the step output `file`, where there is something to say.
#
# Reads INSTALLED, BASE, HEAD and GITHUB_TOKEN, which no other step sees. Without an answer the
# check goes on: what then cannot be told is no pass.
set -euf -o pipefail

place="$RUNNER_TEMP/modelwarden-people"
rm -rf "$place" && mkdir -p "$place"
cd "$place"
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

"$INSTALLED/bin/python" -I "$INSTALLED/bin/modelwarden" people --event "$GITHUB_EVENT_PATH" \
  --base="$BASE" --head="$HEAD" --output people.json ||
  echo "::warning::GitHub was not asked whose the commits are; what is not known is no pass"
if [[ -s people.json ]]; then
  echo "file=$place/people.json" >>"$GITHUB_OUTPUT"
fi
