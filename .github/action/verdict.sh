#!/usr/bin/env bash
# Fails the job with the exit code of the check. Reads CODE and FAIL.
set -euo pipefail

if [[ ! $CODE =~ ^[0-9]{1,3}$ ]]; then
  echo "::error::Modelwarden left no exit code"
  exit 3
fi
if [[ $CODE == 0 ]]; then
  echo "Modelwarden: pass"
elif [[ $FAIL == false ]]; then
  echo "::warning::Modelwarden: exit code $CODE; the job goes on because fail is false"
else
  echo "::error::Modelwarden: exit code $CODE; the job summary says what to do"
  exit "$CODE"
fi
