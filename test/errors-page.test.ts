import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const page = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
const explained = [...page.matchAll(/^## (MABS-[A-Z0-9-]+)$/gm)].map(([, code]) => code!);

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
const used = [...new Set(sources.flatMap((source) => [...source.matchAll(/'(MABS-[A-Z0-9-]+)'/g)].map(([, code]) => code!)))].sort();

describe('docs/errors.md', () => {
  it.each(used)('explains %s', (code) => expect(explained).toContain(code));
  it('explains no code that is gone', () => expect(explained.filter((code) => !used.includes(code))).toEqual([]));
  it('explains each code once', () => expect(explained.length).toBe(new Set(explained).size));
});
