# Reads the beginning of a file.
cd / || exit 1
path=$PLOINKY_ARG_PATH
if [ -d "$path" ]; then
  echo "\"$path\" is a directory; use list_files" >&2
  exit 1
fi
exec head -c "${PLOINKY_ARG_BYTES:-100000}" -- "$path"
