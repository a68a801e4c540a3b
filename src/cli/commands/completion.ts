/** `durant completion`: scripts for shells. They ask `durant __complete`, so that they know the stages and never fall behind. */
import type { Context } from '../context.ts';
import type { CommandOf, Shell } from '../invocation.ts';

export function completion(command: CommandOf<'completion'>, { output }: Context): Promise<number> {
  output.stdout.write(scripts[command.shell]);
  return Promise.resolve(0);
}

// bash cuts words at ":" and "=", too: the whole line is cut anew, and what stands before the last of them is left out of the answer.
const bash = `# bash completion for durant: source <(durant completion bash)
_durant() {
  local line words last
  line=\${COMP_LINE:0:COMP_POINT}
  read -r -a words <<< "$line"
  case $line in *[[:blank:]]) words+=("") ;; esac
  last=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    case $last in *[:=]*) line=\${line#"\${last%"\${last##*[:=]}"}"} ;; esac
    [ -n "$line" ] && COMPREPLY+=("$line")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _durant durant
`;

const zsh = `#compdef durant
# zsh completion for durant: source <(durant completion zsh)
_durant() {
  local line word
  local -a found
  while IFS= read -r line; do
    word=\${line%%$'\\t'*}
    if [[ $line == *$'\\t'* ]]; then found+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else found+=("\${word//:/\\\\:}"); fi
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe durant found; else _files; fi
}
if [[ \${funcstack[1]} == _durant ]]; then _durant "$@"; else compdef _durant durant; fi
`;

const fish = `# fish completion for durant: durant completion fish > ~/.config/fish/completions/durant.fish
function __durant_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c durant -f -a '(__durant_complete)'
complete -c durant -l config -r -F
`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
