# A tool that fails prints {"ok":false,"error","message"} and ends with an exit code that is not 0.
# Standard input holds the same as JSON. Read it to its end even so: podman may lose the answer of a program that does not.
cat >/dev/null

words=$(printf '%s\n' "$PLOINKY_ARG_TEXT" | wc -w)
if [ "$words" -eq 0 ]; then
  echo '{"ok":false,"error":"empty_text","message":"There is nothing to count"}'
  exit 1
fi
# "$(...)" takes the newline at the end away, so that a text with one and a text without have as many lines.
text=$(printf '%s' "$PLOINKY_ARG_TEXT")
lines=$(printf '%s\n' "$text" | wc -l)
printf '{"lines":%d,"words":%d}\n' "$lines" "$words"
