import { memorySource } from '../../src/lib/byte-source.ts';
import { openRegistryHive } from '../../src/lib/registry-hive.ts';
import type { ByteSample } from './byte-fuzzer.ts';
import { aRegistryHive, aSoftwareHive } from './registry-hive.ts';

/** Does with a hive what the probe of a point does with it. */
export async function readVersion(bytes: Uint8Array): Promise<void> {
  const hive = await openRegistryHive(memorySource(bytes));
  const key = await hive.findKey(['Microsoft', 'Windows NT', 'CurrentVersion']);
  for (const name of ['ProductName', 'CurrentBuild', 'UBR', 'no such value']) await key?.findValue(name);
}

/** Hives to spoil, with every kind of list. */
export function registryFuzzSamples(): ByteSample[] {
  const values = { ProductName: 'Windows Server 2022 Standard', CurrentBuild: '20348', UBR: 1 };
  const others = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`A${index}`, {}]));
  const listed = (list: 'lf' | 'li' | 'ri') => ({
    list,
    keys: { ...others, Microsoft: { list, keys: { ...others, 'Windows NT': { list, keys: { ...others, CurrentVersion: { values } } } } } },
  });
  const hives: [string, Uint8Array][] = [
    ['lh', aSoftwareHive(values)],
    ...(['lf', 'li', 'ri'] as const).map((list): [string, Uint8Array] => [list, aRegistryHive(listed(list))]),
  ];
  return hives.map(([name, content]) => ({ name: `hive ${name}`, content, read: readVersion }));
}
