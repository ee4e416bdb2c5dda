// Scripts for shells. They ask `warrenctl autocomplete` for the words, which is quick enough and always right.
import { rabbitTools } from './tool.ts';

const programs = ['warrenctl', ...rabbitTools];

export function bash(): string {
  return `# bash completion for warrenctl
_warrenctl() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" autocomplete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _warrenctl ${programs.join(' ')}
`;
}

export function zsh(): string {
  return `#compdef ${programs.join(' ')}
_warrenctl() {
  local -a words_found
  words_found=(\${(f)"$("\${words[1]}" autocomplete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  (( \${#words_found} )) && compadd -a words_found || _files
}
if [ "\${funcstack[1]}" = "_warrenctl" ]; then
  _warrenctl "$@"
else
  compdef _warrenctl ${programs.join(' ')}
fi
`;
}

export function fish(): string {
  const line = (program: string): string => `complete -c ${program} -f -a '(__warrenctl_complete ${program})'`;
  return `# fish completion for warrenctl
function __warrenctl_complete
  set -l tokens (commandline -opc) (commandline -ct)
  $argv[1] autocomplete -- $tokens[2..-1] 2>/dev/null
end
${programs.map(line).join('\n')}
`;
}
