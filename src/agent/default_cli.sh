#!/bin/sh
# The command line of agents that bring none: it repeats what it is told until "exit" or the end of its input.
echo 'Ploinky default CLI'
while printf '> ' && { IFS= read -r line || [ -n "$line" ]; }; do
  [ "$line" = exit ] && exit 0
  printf '%s\n' "$line"
done
echo
