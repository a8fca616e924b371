# A tool gets each of its arguments as a variable, PLOINKY_ARG_<NAME>; what it prints is its answer.
printf 'Hello, %s! I am {{name}}.\n' "$PLOINKY_ARG_NAME"
