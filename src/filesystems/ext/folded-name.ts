/**
 * A name without its case, close to what a directory with casefold compares (NFD and the full case folding of Unicode): upper case
 * first, since it joins what lower case alone keeps apart (ß and SS, σ and ς).
 */
export function foldedName(name: string): string {
  return name.normalize('NFD').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFD');
}
