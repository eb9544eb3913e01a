import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up from here, built or not. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What runs here. */
export function versionInfo(): { readonly version: string; readonly node: string; readonly platform: string } {
  return { version: packageVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}

export function versionLine({ version, node, platform } = versionInfo()): string {
  return `mabs ${version} (Node.js ${node}, ${platform})`;
}
