#!/usr/bin/env bash
# Puts Modelwarden, from the action's own files, into a virtual environment outside the checkout.
#
# Reads ACTION (folder of the action), INSTALLED (an environment to use as it is), PYTHON, EXTRAS,
# TORCH_INDEX, ONLY and SKIP; writes the step output `environment`.
set -euf -o pipefail

# The folder a command starts in is on no path of Python here, and the checkout is a stranger's.
cd "$RUNNER_TEMP"
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

runs() { # runs CHECK: whether this check is among those asked for
  local name
  for name in $SKIP; do [[ $name != "$1" ]] || return 1; done
  [[ -n ${ONLY//[[:space:]]/} ]] || return 0
  for name in $ONLY; do [[ $name != "$1" ]] || return 0; done
  return 1
}

sandbox() {
  command -v bwrap >/dev/null || command -v apt-get >/dev/null || return 0
  if ! command -v bwrap >/dev/null; then
    sudo -n apt-get install -y --no-install-recommends bubblewrap ||
      echo "::warning::bubblewrap could not be installed; a model will not be scored without a sandbox"
  fi
  # Machines of GitHub's own live for one job: only there is a setting of the machine ours to make.
  if [[ ${RUNNER_ENVIRONMENT:-} == github-hosted ]]; then
    sudo -n sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 || true
  fi
}

install() {
  local place="$RUNNER_TEMP/modelwarden" extras="$EXTRAS" pip
  if [[ $extras == auto ]]; then
    extras=""
    if runs regression; then extras="model"; fi
    if runs data || runs secrets; then extras="${extras:+$extras,}audit"; fi
    if [[ ${PEOPLE:-} == true ]]; then extras="${extras:+$extras,}app"; fi
  fi
  if [[ ! $extras =~ ^[a-z,]*$ ]]; then
    echo "::error::input extras: names with commas, such as model,dvc" && return 2
  fi
  rm -rf "$place" && mkdir -p "$place/source"
  # Building writes into its source, which may be a checkout.
  cp -R "$ACTION"/{bot,lab,registry,security,modelwarden.py,pyproject.toml,README.md,LICENSE,NOTICE} \
    "$place/source"
  "$PYTHON" -I -m venv "$place/environment"
  pip=("$place/environment/bin/python" -I -m pip --disable-pip-version-check install --quiet
    --constraint "$ACTION/constraints.txt")
  "${pip[@]}" setuptools
  if [[ ,$extras, == *,model,* && -n $TORCH_INDEX ]]; then
    "${pip[@]}" --index-url "$TORCH_INDEX" torch
  fi
  "${pip[@]}" --no-build-isolation "$place/source${extras:+[$extras]}"
  echo "environment=$place/environment" >>"$GITHUB_OUTPUT"
}

if runs regression; then sandbox; fi
if [[ -n $INSTALLED ]]; then
  echo "environment=$INSTALLED" >>"$GITHUB_OUTPUT"
else
  install
fi
