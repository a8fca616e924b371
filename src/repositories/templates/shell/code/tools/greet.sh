# A tool gets each of its arguments as a variable, PLOINKY_ARG_<NAME>; what it prints is its answer.
# Standard input holds the same as JSON. Read it to its end even so: podman may lose the answer of a program that does not.
cat >/dev/null

printf 'Hello, %s! I am {{name}}.\n' "$PLOINKY_ARG_NAME"
