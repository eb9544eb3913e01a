import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { PYTHON, PYTHON_MODULES } from './builders/python.ts';

const required = process.env.MABS_REQUIRE_TOOLS === '1';

/** Tools of others that tests compare with, and how each says that it is there. */
const TOOLS = [
  { tool: 'qemu-img', words: ['--version'], without: 'images are not compared with what another program reads' },
  { tool: 'strace', words: ['-V'], without: 'the order of flushes is not proven' },
  { tool: PYTHON, words: ['-c', PYTHON_MODULES], without: 'pools are not read by the second reader' },
  ...['mkfs.ext4', 'mkntfs', 'mkfs.vfat', 'mkfs.exfat'].map((tool) => ({ tool, words: ['-V'], without: 'its volumes are not recognised' })),
];

describe('the independent tools', () => {
  it.each(TOOLS)('$tool is here, or its tests are skipped and that is said', ({ tool, words, without }) => {
    const { error, status } = spawnSync(tool, words);
    const found = error === undefined && (tool !== PYTHON || status === 0);
    if (!found && !required) console.warn(`${tool} is not installed: ${without}. MABS_REQUIRE_TOOLS=1 makes that a failure.`);
    expect(found || !required).toBe(true);
  });
});
