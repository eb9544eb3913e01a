/** A word that nothing in a shell changes. */
const PLAIN = /^[\w@%+=:,./{}-]+$/;

/**
 * A word of a command line that people copy into their shell: between single quotes, in which no sign means anything, in POSIX shells
 * and in PowerShell. A quote inside is written as each of them wants it.
 */
export function quotedWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if (PLAIN.test(word) && !word.includes('{')) return word;
  return `'${word.replaceAll("'", platform === 'win32' ? "''" : "'\\''")}'`;
}
