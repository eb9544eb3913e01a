import { Command } from 'commander';
import type { App } from './app.ts';
import { packageVersion } from './package-version.ts';

/** `mabs version`, and `mabs --version`. */
export function versionCommand(app: App): Command {
  return new Command('version').addHelpText('after', '\nExamples:\n  mabs version\n  mabs version --json').action(() => {
    const result = { version: packageVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    app.render(result, ({ version, node, platform }) => `mabs ${version} (Node.js ${node}, ${platform})`);
  });
}
