#!/bin/sh
# Rebuilds an index, verifies it, and writes one log line. See README.md beside this file.
#
#   rebuild.sh INPUT INDEX [flags of shardloom build…]
#
# REPORT=FILE in the environment: writes a page about the new index beside the previous one.
# Exit code 0 when the new index is live and sound; otherwise shardloom's exit code, and the previous index is live.
set -u

log() { printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2"; }
# fail EXIT_CODE MESSAGE: writes one line, even when the message has several.
fail() {
  log ERROR "$(printf '%s' "$2" | tr '\n' ' ')"
  exit "$1"
}
# In your project set SHARDLOOM to node_modules/.bin/shardloom. The default is the build of this repository.
here=$(cd "$(dirname "$0")" && pwd -P)
shardloom() {
  if [ -n "${SHARDLOOM:-}" ]; then "$SHARDLOOM" "$@"; else node "$here/../../dist/bundle/lib/main.js" "$@"; fi
}

[ $# -ge 2 ] || fail 2 "usage: rebuild.sh INPUT INDEX [flags of shardloom build]"
input=$1
index=$2
shift 2

# One rebuild at a time. The kernel frees the lock when this process ends, however it ends. Without flock (macOS) the
# lock of the index still refuses a second build.
mkdir -p "$(dirname "$index")" 2>/dev/null
(: >>"$index.lock") 2>/dev/null || fail 2 "$index.lock cannot be written"
exec 9>>"$index.lock"
if command -v flock >/dev/null && ! flock -n 9; then fail 1 "$index: the rebuild before this one still runs"; fi

# The generation to go back to.
before=$index/CURRENT.before
rm -f "$before"
if [ -f "$index/CURRENT" ]; then cp "$index/CURRENT" "$before" || fail 2 "$before cannot be written"; fi

# Later flags win, so the caller's override --min-recall; but the generation to go back to must stay.
problem=$(shardloom build "$input" --out "$index" --min-recall 0.95 --quiet "$@" --keep-generations 1 2>&1)
code=$?
if [ $code -ne 0 ]; then
  rm -f "$before"
  fail $code "$index: not rebuilt: $problem"
fi

problem=$(shardloom verify "$index" --quiet 2>&1)
code=$?
if [ $code -ne 0 ]; then
  # Puts the previous line back by one rename, then deletes the bad build, so that it is never counted as one to keep.
  bad=$(cut -d' ' -f1 "$index/CURRENT")
  if [ -f "$before" ]; then mv "$before" "$index/CURRENT"; else rm -f "$index/CURRENT"; fi
  case $bad in gen-*) rm -rf "${index:?}/$bad" ;; esac
  fail $code "$index: $bad withdrawn: $problem"
fi

rm -f "$before"
# The new index is live with or without a page about it.
page=
if [ -n "${REPORT:-}" ]; then
  problem=$(shardloom report "$index" --compare-generation previous --out "$REPORT" --quiet 2>&1) ||
    page="; no page: $(printf '%s' "$problem" | tr '\n' ' ')"
fi
log INFO "$index: rebuilt, $(cut -d' ' -f1 "$index/CURRENT") is live$page"
