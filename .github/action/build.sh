#!/usr/bin/env bash
# Builds sdist and wheel of the commit that is checked out into FOLDER/dist, and tries the wheel.
set -euf -o pipefail

folder="$1"
rm -rf "$folder" && mkdir -p "$folder/source" "$folder/dist"
git archive HEAD | tar -x -C "$folder/source"
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH

python3 -I -m venv "$folder/tools"
pip=("$folder/tools/bin/python" -I -m pip --disable-pip-version-check install --quiet
  --constraint "$folder/source/constraints.txt")
"${pip[@]}" setuptools wheel
cd "$folder/source"
backend() { "$folder/tools/bin/python" -c "from setuptools import build_meta as b; b.$1('$2')"; }
backend build_sdist "$folder/dist"
backend build_wheel "$folder/dist"

cd "$folder"
python3 -I -m venv "$folder/trial"
"$folder/trial/bin/python" -I -m pip --disable-pip-version-check install --quiet \
  --constraint "$folder/source/constraints.txt" "$(find "$folder/dist" -name '*.whl')"
"$folder/trial/bin/modelwarden" --version
"$folder/trial/bin/modelwarden" rules >/dev/null
(cd "$folder/dist" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum)
