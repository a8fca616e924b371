/**
 * Completion scripts of the shells. They know nothing of the commands: on each Tab they call back
 * `ploinky __complete -- <words...>`, which prints a candidate a line (`value<Tab>summary`), or `:directories` or
 * `:files` when the shell shall complete its own files. No candidate is ever evaluated by the shell.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Written for bash 3.2 (macOS): no mapfile, no namerefs, no `compgen -W` (which would expand candidates). */
const BASH = String.raw`# bash completion for ploinky; load it with: source <(ploinky completion bash)
_ploinky() {
  # Bash cuts words at "=" and ":" too: pieces that touch in the line are one word.
  local rest=${'$'}{COMP_LINE:0:COMP_POINT} piece gap index count=0
  local -a words
  for ((index = 0; index <= COMP_CWORD; index++)); do
    gap=0
    while [[ $rest == [[:space:]]* ]]; do rest=${'$'}{rest:1} gap=1; done
    piece=${'$'}{COMP_WORDS[index]}
    if ((index == COMP_CWORD)); then piece=$rest; else rest=${'$'}{rest#"$piece"}; fi
    if ((count > 0 && gap == 0)); then
      words[count - 1]+=$piece
    else
      words[count]=$piece
      ((count += 1))
    fi
  done
  local current=${'$'}{words[count - 1]#[\"\']} program=$1 value summary cut=''
  words[count - 1]=$current
  # Readline replaces only what follows its last cut.
  local breaks=${'$'}{COMP_WORDBREAKS//[^=:]/}
  if [[ -n $breaks && $current == *[$breaks]* ]]; then cut=${'$'}{current%"${'$'}{current##*[$breaks]}"}; fi
  type -P "$program" >/dev/null 2>&1 || program=ploinky
  COMPREPLY=()
  while IFS=$'\t' read -r value summary; do
    case $value in
      :directories | :files)
        compopt -o filenames 2>/dev/null
        local kind=-f
        [[ $value == :files ]] || kind=-d
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen "$kind" -- "${'$'}{current##*=}")
        ;;
      ?*) COMPREPLY+=("${'$'}{value#"$cut"}") ;;
    esac
  done < <("$program" __complete -- "${'$'}{words[@]:1}" 2>/dev/null)
}
complete -F _ploinky ploinky p-cli
`

const ZSH = String.raw`#compdef ploinky p-cli
# zsh completion for ploinky; load it with: source <(ploinky completion zsh)
# or save it as _ploinky in a folder of $fpath.
_ploinky() {
  local -a typed values displays
  local value summary files program=$words[1]
  typed=("${'$'}{(@Q)words[2,CURRENT]}")
  typed[-1]=${'$'}{(Q)PREFIX}
  whence -p -- "$program" >/dev/null 2>&1 || program=ploinky
  while IFS=$'\t' read -r value summary; do
    case $value in
      (:directories|:files) files=$value ;;
      (?*)
        values+=("$value")
        displays+=("$value${'$'}{summary:+  -- $summary}")
        ;;
    esac
  done < <("$program" __complete -- "${'$'}{typed[@]}" 2>/dev/null)
  if (( $#values )); then compadd -l -d displays -a values; fi
  if [[ -n $files ]]; then
    compset -P '--*='
    if [[ $files == :directories ]]; then _files -/; else _files; fi
  fi
}
if [[ $funcstack[1] == _ploinky ]]; then
  _ploinky "$@"
elif (( $+functions[compdef] )); then
  compdef _ploinky ploinky p-cli
else
  autoload -Uz compinit && compinit && compdef _ploinky ploinky p-cli
fi
`

const FISH = String.raw`# fish completion for ploinky; load it with: ploinky completion fish | source
function __ploinky_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    set -l lead (string match -r -- '^--[^=]*=' "$current")
    set -l part (string replace -r -- '^--[^=]*=' '' "$current")
    for line in (command ploinky __complete -- $words "$current" 2>/dev/null)
        switch $line
            case ':directories'
                for name in (__fish_complete_directories "$part" '')
                    printf '%s%s\n' "$lead" "$name"
                end
            case ':files'
                for name in (__fish_complete_path "$part" '')
                    printf '%s%s\n' "$lead" "$name"
                end
            case '*'
                printf '%s\n' "$line"
        end
    end
end
complete -c ploinky -f -a '(__ploinky_complete)'
complete -c p-cli -f -a '(__ploinky_complete)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]
}
