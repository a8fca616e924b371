# Lists a directory.
cd / && exec ls -la -- "${PLOINKY_ARG_PATH:-/}"
