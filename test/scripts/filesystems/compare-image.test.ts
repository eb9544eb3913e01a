import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compareSystem } from '../../../scripts/filesystems/compare-image.ts';
import type { TrueFile } from '../../../scripts/filesystems/true-files.ts';
import type { FileSystem } from '../../../src/filesystems/file-system.ts';
import { type TreeEntry, treeFileSystem } from '../../builders/tree-file-system.ts';

const OPTIONS = { timeUnit: 100n, lastSecond: 2 ** 31, posix: true };
const MODIFIED = 1_234_567_890_000_000_000n;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const posix = { modified: MODIFIED, mode: 0o644, uid: 1, gid: 2, links: 1 };

const truth = (type: TrueFile['type'], more: Partial<TrueFile> = {}): TrueFile => ({ type, size: 0, ...posix, ...more });
const FILES = new Map([
  ['/a', truth('dir')],
  ['/a/x.txt', truth('file', { size: 4, sha256: sha256('text') })],
  ['/b', truth('link', { target: 'a/x.txt' })],
]);
const STREAMS = new Map([['/a/x.txt:s', sha256('stream')]]);

type Fault = (entries: { a: TreeEntry; x: TreeEntry; b: TreeEntry }) => TreeEntry[];

/** What mabs would answer: the truth, with one thing wrong. */
function systemWith(fault: Fault = ({ a, b }) => [a, b]): FileSystem {
  const x: TreeEntry = { name: 'x.txt', content: 'text', streamContents: { s: 'stream' }, node: { id: 'x', ...posix } };
  const a: TreeEntry = { name: 'a', children: [x], node: { id: 'a', ...posix } };
  const b: TreeEntry = { name: 'b', type: 'link', node: { id: 'b', ...posix, target: 'a/x.txt' } };
  return treeFileSystem(fault({ a, x, b }));
}

const inFolder =
  (change: (x: TreeEntry) => TreeEntry[]): Fault =>
  ({ a, x, b }) => [{ ...a, children: change(x) }, b];
const told = (node: TreeEntry['node']) => inFolder((x) => [{ ...x, node: { ...x.node, ...node } }]);

const problemsOf = async (system: FileSystem) => (await compareSystem(system, { files: FILES, streams: STREAMS }, OPTIONS)).problems;

describe('the comparison with another reader', () => {
  it('finds nothing where all is told right', async () => {
    expect(await problemsOf(systemWith())).toEqual([]);
  });

  it.each<[string, Fault, RegExp]>([
    ['a file that is not told', inFolder(() => []), /^\/a\/x\.txt is missing$/],
    ['a file too many', inFolder((x) => [x, { ...x, name: 'y', node: { ...x.node, id: 'y' } }]), /^\/a\/y is there for mabs alone$/],
    ['another type', ({ a, b }) => [a, { ...b, type: 'file' }], /^\/b type/],
    ['another size', told({ size: 3 }), /^\/a\/x\.txt size: 3, should be 4$/],
    ['another time', told({ modified: MODIFIED + 100n }), /^\/a\/x\.txt modified/],
    ['no time', told({ modified: undefined as never }), /^\/a\/x\.txt modified/],
    ['another mode', told({ mode: 0o600 }), /^\/a\/x\.txt mode: 600, should be 644$/],
    ['another owner', told({ uid: 0 }), /^\/a\/x\.txt owner: 0:2, should be 1:2$/],
    ['another number of names', told({ links: 2 }), /^\/a\/x\.txt links: 2, should be 1$/],
    ['another target', ({ a, b }) => [a, { ...b, node: { ...b.node, target: 'a/y.txt' } }], /^\/b target/],
    ['another byte', inFolder((x) => [{ ...x, content: 'tezt' }]), /^\/a\/x\.txt has another content/],
    ['a hole where there is data', inFolder((x) => [{ ...x, data: async () => [] }]), /^\/a\/x\.txt has another content/],
    [
      'a file that cannot be read',
      inFolder((x) => [{ ...x, failing: { open: new Error('no') } }]),
      /^\/a\/x\.txt has another content \(no\)$/,
    ],
    ['another stream', inFolder((x) => [{ ...x, streamContents: { s: 'strean' } }]), /^the stream \/a\/x\.txt:s has another content/],
  ])('finds %s', async (_, fault, problem) => {
    expect((await problemsOf(systemWith(fault))).filter((told) => problem.test(told))).not.toEqual([]);
  });

  it.each<[string, FileSystem['names'], FileSystem['find'], RegExp]>([
    ['is not found by its name', 'bytes', async () => undefined, /^\/a\/x\.txt is not found by its name$/],
    ['is found for every name', 'bytes', async () => ({ id: 'x', type: 'file', size: 4, links: 1 }), /^\/a\/x\.txt is found by a name/],
  ])('finds that a file %s', async (_, names, find, problem) => {
    expect(await problemsOf({ ...systemWith(), names, find })).toContainEqual(expect.stringMatching(problem));
  });

  it('finds that case counts where it should not', async () => {
    const problems = await problemsOf({ ...systemWith(), names: 'utf16' });
    expect(problems).toContain('/a/x.txt is not found in other letters');
  });
});
