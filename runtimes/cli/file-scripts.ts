/**
 * What is run in an instance to handle files as its own programs see them: links, mounts, memory file systems and the rights
 * of its user all count. POSIX sh; `stat`, `cat`, `mv` of any maker (busybox has all). Arguments are words, never text of a
 * script. The folder is entered first, and everything else happens relative to it: a link that is put in the way later leads
 * nowhere else.
 */

/** Exit codes, all above those that a shell gives by itself. */
export const SAID = {
  missing: 40,
  notFolder: 41,
  denied: 42,
  outside: 43,
  exists: 44,
  notFile: 45,
  unwritten: 46,
  wrongSize: 47,
  /** A link; where it leads was written. */
  elsewhere: 48,
} as const

/**
 * $1: folder. $2: how many of the following are folders that alone may be used (0: all), then those, then folders in them
 * that are hidden from the agent; all real paths. They are shifted away, and a `--` behind them.
 */
const ENTER = `
LC_ALL=C; export LC_ALL
umask 022
nl='
'
real() { here=$(pwd -P && printf x) || exit ${SAID.denied}; here=\${here%x}; here=\${here%"$nl"}; }
folder=$1 roots=$2
shift 2
[ -e "$folder" ] || exit ${SAID.missing}
[ -d "$folder" ] || exit ${SAID.notFolder}
cd -P -- "$folder" 2>/dev/null || exit ${SAID.denied}
real
case "$here/" in /proc/*|/sys/*|/dev/*) exit ${SAID.outside};; esac
left=$roots allowed=0
while [ "$1" != -- ]; do
  root=$1
  [ "$root" = / ] && root=
  case "$here/" in "$root"/*) found=1;; *) found=0;; esac
  if [ "$left" -gt 0 ]; then
    left=$((left-1))
    [ "$found" = 0 ] || allowed=1
  elif [ "$found" = 1 ]; then
    exit ${SAID.outside}
  fi
  shift
done
shift
[ "$roots" = 0 ] || [ "$allowed" = 1 ] || exit ${SAID.outside}
`

/** Then: how many names at most. Gives the real folder, then kind and name of each, all ended by NUL; then what stat tells. */
export const LIST = `${ENTER}
printf '%s\\0' "$here"
n=0
for f in ./* ./.[!.]* ./..?*; do
  if [ -L "$f" ]; then k=l; elif [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; elif [ -e "$f" ]; then k=o; else continue; fi
  n=$((n+1))
  printf '%s\\0' "$k$f"
  [ "$n" -gt "$1" ] && break
done
printf '\\0'
stat -c '%s %Y %f %n' -- ./* ./.[!.]* ./..?* 2>/dev/null
exit 0
`

/** Then: name. A line of size, time and real folder, then what the file holds. */
export const READ = `${ENTER}
f=./$1
[ -e "$f" ] || [ -L "$f" ] || exit ${SAID.missing}
[ -d "$f" ] && exit ${SAID.notFile}
[ -e "$f" ] || exit ${SAID.missing}
[ -f "$f" ] || exit ${SAID.notFile}
[ -r "$f" ] || exit ${SAID.denied}
if [ -L "$f" ]; then
  target=$(readlink -f -- "$f" && printf x) || exit ${SAID.missing}
  target=\${target%x}; target=\${target%"$nl"}
  case "$target" in /proc/*|/sys/*|/dev/*) exit ${SAID.outside};; esac
  [ "$roots" = 0 ] || { printf '%s\\0' "$target"; exit ${SAID.elsewhere}; }
fi
at=$(stat -L -c '%s %Y' -- "$f" 2>/dev/null) || at="$(($(wc -c <"$f"))) -1"
printf '%s %s\\0' "$at" "$here"
exec cat -- "$f"
`

const CHECK = `
[ -d "./$1" ] && exit ${SAID.notFile}
old=0
if [ -e "./$1" ] || [ -L "./$1" ]; then old=1; [ "$3" = 1 ] || exit ${SAID.exists}; fi
[ -w . ] || exit ${SAID.denied}
`
/** As the file that is replaced. */
const FINISH = `
size=$(stat -c %s -- "./$2" 2>/dev/null) || size=$(($(wc -c <"./$2")))
[ "$size" = "$4" ] || { rm -f -- "./$2"; exit ${SAID.wrongSize}; }
if [ "$old" = 1 ] && [ ! -L "./$1" ] && mode=$(stat -c %a -- "./$1" 2>/dev/null); then chmod "$mode" "./$2"; fi
mv -f -- "./$2" "./$1" || { rm -f -- "./$2"; exit ${SAID.denied}; }
printf '%s\\0%s\\0' "$here" "$old"
exit 0
`

/** Then: name, temporary name, 1 to replace, size. The file comes on standard input. */
export const WRITE = `${ENTER}${CHECK}
set -C
(: >"./$2") 2>/dev/null || exit ${SAID.denied}
cat >>"./$2" || { rm -f -- "./$2"; exit ${SAID.unwritten}; }
${FINISH}`

/** Then: name, temporary name, 1 to replace. Makes the temporary file, empty, for somebody else to fill. */
export const PREPARE = `${ENTER}${CHECK}
command -v mv >/dev/null && command -v rm >/dev/null || exit 127
set -C
(: >"./$2") 2>/dev/null || exit ${SAID.denied}
printf '%s\\0%s\\0' "$here" "$old"
`
/** Then: name, temporary name, 1 to replace, size. */
export const COMMIT = `${ENTER}
[ -f "./$2" ] || exit ${SAID.unwritten}
[ -d "./$1" ] && { rm -f -- "./$2"; exit ${SAID.notFile}; }
old=0
if [ -e "./$1" ] || [ -L "./$1" ]; then old=1; [ "$3" = 1 ] || { rm -f -- "./$2"; exit ${SAID.exists}; }; fi
${FINISH}`
/** Then: name, temporary name. */
export const DROP = `${ENTER}
rm -f -- "./$2"
`
