export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

export interface CompletionWords {
  readonly commands: readonly { readonly name: string; readonly summary: string; readonly options: readonly string[] }[];
  /** Options of every command. */
  readonly globals: readonly string[];
}

/** A script that completes commands and options; everything else is a file's name. */
export function completionScript(shell: Shell, words: CompletionWords): string {
  const choices = choicesOf(words);
  switch (shell) {
    case 'bash':
      return bash(choices, words);
    case 'zsh':
      return `#compdef mabs\nautoload -U +X bashcompinit && bashcompinit\n${bash(choices, words)}`;
    case 'fish':
      return fish(choices, words);
    case 'powershell':
      return powershell(choices, words);
  }
}

/** What may follow the words typed so far: `pool` → `add import …`, and for a whole command its options. */
function choicesOf({ commands, globals }: CompletionWords): Map<string, string[]> {
  const choices = new Map<string, Set<string>>();
  for (const { name, options } of commands) {
    const parts = name.split(' ');
    for (const [index, word] of parts.entries()) {
      const before = parts.slice(0, index).join(' ');
      choices.set(before, (choices.get(before) ?? new Set()).add(word));
    }
    choices.set(name, new Set([...(choices.get(name) ?? []), ...options, ...globals]));
  }
  return new Map([...choices].map(([before, next]) => [before, [...next]]));
}

/** The words of the longest command that the command line begins with decide. Names hold letters and hyphens only. */
function bash(choices: Map<string, string[]>, { globals }: CompletionWords): string {
  const cases = [...choices].map(([before, next]) => `      "${before}") words="${next.join(' ')}" ;;`);
  return `_mabs() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" typed="" word candidate
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && continue
    candidate="\${typed:+$typed }$word"
    _mabs_known "$candidate" || break
    typed="$candidate"
  done
  case "$typed" in
${cases.join('\n')}
      *) words="${globals.join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_mabs_known() {
  case "$1" in
    ${[...choices.keys()]
      .filter((before) => before !== '')
      .map((before) => `"${before}"`)
      .join('|')}) return 0 ;;
    *) return 1 ;;
  esac
}
complete -o default -F _mabs mabs
`;
}

function fish(choices: Map<string, string[]>, { commands }: CompletionWords): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  const lines = [...choices].flatMap(([before, next]) =>
    next.map((word) => {
      const condition = `-n '__mabs_typed "${before}"'`;
      if (word.startsWith('--')) return `complete -c mabs ${condition} -l ${word.slice(2)}`;
      const summary = summaries.get(`${before} ${word}`.trim());
      return `complete -c mabs -f ${condition} -a ${word}${summary === undefined ? '' : ` -d '${summary.replaceAll("'", "\\'")}'`}`;
    }),
  );
  return `function __mabs_typed
  set -l words (commandline -opc)
  set -l typed
  for word in $words[2..-1]
    string match -q -- '-*' $word; and continue
    set -a typed $word
  end
  test "$typed" = "$argv[1]"; or begin
    test -n "$argv[1]"; and string match -q -- "$argv[1] *" "$typed"
  end
end
${lines.join('\n')}
`;
}

function powershell(choices: Map<string, string[]>, { globals }: CompletionWords): string {
  const entries = [...choices].map(([before, next]) => `    '${before}' = '${next.join(' ')}'`);
  return `Register-ArgumentCompleter -Native -CommandName mabs -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $choices = @{
${entries.join('\n')}
  }
  $typed = ''
  foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
    $word = $element.Extent.Text
    if ($element.Extent.EndOffset -ge $cursorPosition -or $word.StartsWith('-')) { continue }
    $candidate = ("$typed $word").Trim()
    if (-not $choices.ContainsKey($candidate)) { break }
    $typed = $candidate
  }
  $words = if ($choices.ContainsKey($typed)) { $choices[$typed] } else { '${globals.join(' ')}' }
  $words.Split(' ') | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}
