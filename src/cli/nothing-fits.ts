/** What is told where nothing fits a pattern; also why not, where it was typed as a path of Windows. */
export function nothingFits(glob: string): string {
  const backslash = glob.includes('\\') ? ' Names are separated by /; a \\ takes the next character as it is.' : '';
  return `Nothing fits ${glob}.${backslash}`;
}
