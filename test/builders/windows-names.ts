/**
 * What is wrong with a name for Win32, told by another way than the product's: character by character, from Microsoft's "Naming
 * Files, Paths, and Namespaces" (from documentation).
 */
export function windowsNameFault(name: string): string | undefined {
  if (name.length === 0) return 'empty';
  if (name.length > 255) return `${name.length} units long`;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code < 32) return `control character ${code}`;
    if ('<>:"/\\|?*'.includes(name[at]!)) return `holds ${name[at]}`;
  }
  if (!name.isWellFormed()) return 'half of a surrogate pair';
  if (name.endsWith('.') || name.endsWith(' ')) return 'ends in a dot or a space';
  const stem = name.split('.')[0]!.trimEnd().toUpperCase();
  const ports = ['COM', 'LPT'].flatMap((port) => [...'0123456789\u00b9\u00b2\u00b3'].map((digit) => port + digit));
  if (['CON', 'PRN', 'AUX', 'NUL', 'CONIN$', 'CONOUT$', 'CLOCK$', ...ports].includes(stem)) return `the device ${stem}`;
  return undefined;
}

/** What Windows takes for one name: by capital letters, one by one. */
export function windowsKey(name: string): string {
  return Array.from(name, (character) => (character.toUpperCase().length === character.length ? character.toUpperCase() : character)).join(
    '',
  );
}
