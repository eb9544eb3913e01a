import { describe, expect, it } from '@jest/globals';
import { DocumentBegunError, printJsonArray, printLines } from '../../src/cli/print-list.ts';

/** Takes what is written; `pieces` of it, after which nobody reads on. */
function aReader(pieces = Number.POSITIVE_INFINITY) {
  const taken: string[] = [];
  const write = async (text: string) => {
    taken.push(text);
    return taken.length < pieces;
  };
  return { write, taken, text: () => taken.join('') };
}

async function* items(count: number, failAt = Number.POSITIVE_INFINITY) {
  for (let index = 0; index < count; index++) {
    if (index === failAt) throw new Error('the disk is gone');
    told = index;
    yield { index, name: 'x'.repeat(1000) };
  }
}
let told = 0;

describe('a list as JSON', () => {
  it('is kept complete while it is short', async () => {
    const { write, taken } = aReader();
    expect(JSON.parse((await printJsonArray(items(3), write))!)).toHaveLength(3);
    expect(await printJsonArray(items(0), write)).toBe('[]');
    expect(taken).toEqual([]);
  });

  it('is written as it comes when it is long', async () => {
    const { write, taken, text } = aReader();
    expect(await printJsonArray(items(5000), write)).toBeUndefined();
    expect(JSON.parse(text())).toHaveLength(5000);
    expect(Math.max(...taken.slice(1).map(({ length }) => length))).toBeLessThan(70_000);
  });

  it('leaves a failure alone while nothing is printed', async () => {
    const { write, taken } = aReader();
    await expect(printJsonArray(items(10, 5), write)).rejects.toThrow('the disk is gone');
    expect(taken).toEqual([]);
  });

  it('is closed by a failure later on, so that it is one document', async () => {
    const { write, text } = aReader();
    const failed = await printJsonArray(items(5000, 3000), write).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DocumentBegunError);
    expect(failed).toMatchObject({ cause: { message: 'the disk is gone' } });
    expect(JSON.parse(text())).toHaveLength(3000);
  });

  it('ends quietly when nobody reads on', async () => {
    const { write, taken } = aReader(2);
    await printJsonArray(items(100_000), write);
    expect(taken.length).toBe(2);
    expect(told).toBeLessThan(2000);
  });
});

describe('a list as lines', () => {
  it('is written in pieces, the last of them also after a failure', async () => {
    const { write, text } = aReader();
    await expect(printLines(items(10, 5), ({ index }) => `${index}`, write)).rejects.toThrow('the disk is gone');
    expect(text()).toBe('0\n1\n2\n3\n4\n');
  });

  it('ends quietly when nobody reads on', async () => {
    const { write, taken } = aReader(1);
    await printLines(items(100_000), ({ name }) => name, write);
    expect(taken.length).toBe(1);
  });
});
