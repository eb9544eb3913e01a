/** A word that nothing in a shell changes; PowerShell makes several of one with commas. */
const PLAIN = /^[\w@%+=:,./-]+$/;
const PLAIN_IN_POWERSHELL = /^[\w%+=:./-][\w@%+=:./-]*$/;

/**
 * A word of a command line that people copy into their shell: between single quotes, in which no sign means anything, in POSIX shells
 * and in PowerShell. A quote inside is written as each of them wants it.
 */
export function quotedWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if ((platform === 'win32' ? PLAIN_IN_POWERSHELL : PLAIN).test(word)) return word;
  return `'${word.replaceAll("'", platform === 'win32' ? "''" : "'\\''")}'`;
}
