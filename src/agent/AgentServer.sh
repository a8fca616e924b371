#!/bin/sh
# Starts the MCP server of the agent. Images without Node are agents too: their tools are run through the engine's exec,
# and this process only keeps the container alive and ends at once when it is asked to.
dir=${0%/*}
[ "$dir" = "$0" ] && dir=.

if command -v node >/dev/null 2>&1; then
  exec node "$dir/AgentServer.mjs"
fi

echo 'AgentServer: this image has no "node"; tools run through the exec of the container runtime' >&2

child=
stop() {
  trap - TERM INT HUP
  [ -n "$child" ] && kill "$child" 2>/dev/null
  exit 0
}
trap stop TERM INT HUP

# A shell acts on a signal only between commands, so it sleeps in the background and waits.
while :; do
  sleep 3600 &
  child=$!
  wait "$child"
done
