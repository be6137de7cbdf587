#!/bin/sh
# Brings in the scripts that the pages load but that are not ours: installs
# them as the lock file says, and copies what is served to static/vendor/,
# where the build embeds it. Needs npm.
set -eu
cd "$(dirname "$0")"

npm ci --ignore-scripts --no-audit --no-fund
mkdir -p static/vendor
cp node_modules/htmx.org/dist/htmx.min.js static/vendor/htmx.min.js
cp node_modules/htmx.org/dist/ext/hx-sse.min.js static/vendor/hx-sse.min.js
