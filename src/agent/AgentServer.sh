#!/bin/sh
# Starts the MCP server of the agent. Images without Node, or with one before 18, are agents too: their tools are run through the engine's exec,
# and this process only keeps the container alive and ends at once when it is asked to.
dir=${0%/*}
[ "$dir" = "$0" ] && dir=.

case $(node --version 2>/dev/null) in
  v[0-9].* | v1[0-7].* | '') ;;
  v*) exec node "$dir/AgentServer.mjs" ;;
esac

echo 'AgentServer: this image has no "node" of version 18 or later; tools run through the exec of the container runtime' >&2

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
