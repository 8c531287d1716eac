#!/usr/bin/env bash
# Runs `modelwarden check` and hands its reports over: summary, outputs, files for the artifact.
#
# Reads INSTALLED (a virtual environment), REPOSITORY, BASE, HEAD, POLICY, ONLY, SKIP, PLUGINS,
# LICENCES, ADVISORIES and PEOPLE (a file or nothing); writes the step outputs outcome, exit-code, json, html
# and sarif. Ends with 0 whenever there is an exit code to hand over: the artifact comes first, then
# `verdict.sh` fails the job.
set -euf -o pipefail

place="$RUNNER_TEMP/modelwarden-report"
rm -rf "$place" && mkdir -p "$place"
cd "$place" # empty, so that nothing of the checkout can be imported or read by accident
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

warden=("$INSTALLED/bin/python" -I "$INSTALLED/bin/modelwarden")
options=(--repo "$REPOSITORY" --head="$HEAD")
# A new branch was pushed, or nothing says where the change starts: it starts at the main branch.
if [[ -n $BASE && ! $BASE =~ ^0+$ ]]; then options+=(--base="$BASE"); fi
if [[ -n $PEOPLE ]]; then options+=(--people "$PEOPLE"); fi
for name in $ONLY; do options+=(--only="$name"); done
for name in $SKIP; do options+=(--skip="$name"); done
for name in $PLUGINS; do options+=(--plugin="$name"); done

if [[ -n $POLICY ]]; then
  # At the base: what is checked out may be the pull request's.
  if ! git -C "$REPOSITORY" cat-file blob "${BASE:-HEAD}:$POLICY" >policy.yml; then
    echo "::error::input policy: no such file at the base"
    exit 2
  fi
  options+=(--policy policy.yml)
fi

# What a stranger wrote is shown from here on, and lines of it are no commands to the runner.
mark="$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"
echo "::stop-commands::$mark"
if [[ $LICENCES == true ]]; then
  "${warden[@]}" watch licenses --update --repo "$REPOSITORY" --rev="$HEAD" >/dev/null || true
fi
if [[ -n $ADVISORIES ]]; then
  from=()
  for place in $ADVISORIES; do [[ $place == osv ]] && from+=(--update) || from+=(--update="$place"); done
  "${warden[@]}" watch advisories "${from[@]}" >/dev/null || true
fi
code=0
"${warden[@]}" check "${options[@]}" --report report.json --report report.html \
  --report findings.sarif --report summary.md || code=$?
echo "::$mark::"

if [[ -s summary.md && -s report.json ]]; then
  head -c 1000000 summary.md >>"$GITHUB_STEP_SUMMARY" # a step has 1 MiB
  # At two spaces only the report itself has keys; in texts a line cannot begin.
  outcome="$(sed -n 's/^  "outcome": "\([a-z]*\)",$/\1/p' report.json)"
  {
    echo "json=$place/report.json"
    echo "html=$place/report.html"
    echo "sarif=$place/findings.sarif"
  } >>"$GITHUB_OUTPUT"
else
  outcome=error
  [[ $code != 0 ]] || code=3 # no report is no pass
  echo "## ❗ ERROR: Modelwarden could not judge the change (exit code $code); see the log" \
    >>"$GITHUB_STEP_SUMMARY"
fi
{
  echo "outcome=$outcome"
  echo "exit-code=$code"
} >>"$GITHUB_OUTPUT"
