# Runs a command line. Arguments arrive as variables, so there is nothing to parse and nothing to quote.
cd "${PLOINKY_ARG_DIRECTORY:-/}" || exit 1
seconds=${PLOINKY_ARG_TIMEOUT:-30}

# "timeout" stops the command even when whoever asked for it is gone. It may not read the JSON on standard input.
timeout "$seconds" sh -c "$PLOINKY_ARG_COMMAND" </dev/null
code=$?

# A command that fails is an answer like any other, so its output must not be lost: the exit code is reported instead.
case $code in
  0) ;;
  124 | 137 | 143) echo "exit code $code (a command is stopped after $seconds seconds)" >&2 ;;
  *) echo "exit code $code" >&2 ;;
esac
exit 0
