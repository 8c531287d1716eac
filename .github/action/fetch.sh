#!/usr/bin/env bash
# Downloads the archive ARTIFACT of run RUN, of at most 50 MB; writes the step output `archive`.
#
# The archive is not opened here: `bot/artifact.py` does, as a stranger's. A run without such an
# archive has nothing to show, and is no error.
set -euf -o pipefail

most=50000000
place="$RUNNER_TEMP/modelwarden-archive"
rm -rf "$place" && mkdir -p "$place"
cd "$place"

if [[ ! $RUN =~ ^[0-9]{1,20}$ ]]; then
  echo "::error::the event is not about a run: use this action under workflow_run"
  exit 2
fi

# The token is neither in an argument nor in a file; curl drops it where it is sent elsewhere.
ask() {
  printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
    curl --config - --silent --show-error --fail --location --max-redirs 3 --max-time 300 \
      --proto '=https,http' --proto-redir '=https,http' --max-filesize "$1" \
      --header 'Accept: application/vnd.github+json' --output "$2" "$3"
}

ask 5000000 list.json \
  "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/runs/$RUN/artifacts?per_page=100"
id="$(
  "$INSTALLED/bin/python" -I -c '
import json, sys
most, name = int(sys.argv[1]), sys.argv[2]
with open("list.json", encoding="utf-8") as file:
    found = [a for a in json.load(file)["artifacts"] if a["name"] == name and not a["expired"]]
# Attempts of a run keep their artifacts; the newest is that of the attempt that ended last.
found.sort(key=lambda a: a["id"])
if found and found[-1]["size_in_bytes"] <= most:
    print(int(found[-1]["id"]))
' "$most" "$ARTIFACT"
)"
if [[ -z $id ]]; then
  echo "Nothing to show: the run left no artifact of this name and of at most $most bytes."
  exit 0
fi
ask "$most" archive.zip "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/artifacts/$id/zip"
if (($(wc -c <archive.zip) > most)); then # where its length was not told beforehand
  echo "::error::the artifact has more than $most bytes"
  exit 3
fi
echo "archive=$place/archive.zip" >>"$GITHUB_OUTPUT"
