/** `durant completion`: scripts for shells. They ask `durant __complete`, so that they know the stages and never fall behind. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';

/** Shells that `completion` writes scripts for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print a script that completes commands, options and stages in bash, zsh or fish.',
  help: `
Examples:
  source <(durant completion bash)                                      in ~/.bashrc
  source <(durant completion zsh)                                       in ~/.zshrc, after compinit
  durant completion fish > ~/.config/fish/completions/durant.fish`,
  args: '<SHELL>',
  read([wanted = '']) {
    const shell = SHELLS.find((each) => each === wanted);
    if (shell !== undefined) return { shell };
    throw new InvalidArgumentError(`there is no completion for '${wanted}', only for ${SHELLS.join(', ')}`);
  },
  run({ shell }, { output }) {
    output.stdout.write(scripts[shell]);
    return Promise.resolve(0);
  },
});

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

const scripts: Readonly<Record<(typeof SHELLS)[number], string>> = { bash, zsh, fish };
