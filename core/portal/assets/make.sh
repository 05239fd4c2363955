#!/bin/sh
# Makes what the portal serves: make.sh OUT. Fetches the npm packages of package-lock.json once; runs none of their scripts.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
command -v node >/dev/null || { echo "portal: node is missing (apt-get install -y nodejs npm)" >&2; exit 1; }
cd "$here"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm install --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
mkdir -p "$out/assets" "$out/templates"
node build.mjs "$out/assets"
cp ../templates/*.mustache "$out/templates/"
