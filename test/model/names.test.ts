import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDiskPath, parsePointName, parseVmName } from '../../src/model/names.ts';
import { nearNames } from '../../src/model/near-names.ts';

const GUID = '0a1b2c3d-1111-2222-3333-444455556666';

describe('names of virtual machines', () => {
  it.each([
    { text: 'hv1/web', name: { host: 'hv1', vm: 'web', byId: false } },
    { text: 'hv1/a/b@c:/d', name: { host: 'hv1', vm: 'a/b@c:/d', byId: false } },
    { text: `hv1/{${GUID.toUpperCase()}}`, name: { host: 'hv1', vm: GUID, byId: true } },
    { text: GUID, name: { vm: GUID, byId: true } },
  ])('reads $text', ({ text, name }) => expect(parseVmName(text)).toEqual(name));

  it.each(['', 'web', '/web', 'hv1/'])('refuses %j as unreadable', (text) =>
    expect(() => parseVmName(text)).toThrow(expect.objectContaining({ code: 'MABS-NAME-UNREADABLE', kind: 'usage' })),
  );
});

describe('names of recovery points', () => {
  const web = { host: 'hv1', vm: 'web', byId: false };
  it.each([
    { text: 'hv1/web@latest', name: { vm: web, point: 'latest' } },
    { text: 'hv1/web@2026-11-20T18:00', name: { vm: web, point: '2026-11-20T18:00' } },
    { text: 'hv1/web@2026-11-20', name: { vm: web, point: '2026-11-20' } },
    { text: 'hv1/web@2026-11-20T18:00:00+01:00:/disk0', name: { vm: web, point: '2026-11-20T18:00:00+01:00', path: '/disk0' } },
    { text: 'hv1/web@latest:/disk0/p2/a@b:/c', name: { vm: web, point: 'latest', path: '/disk0/p2/a@b:/c' } },
    { text: 'hv1/me@home@latest', name: { vm: { host: 'hv1', vm: 'me@home', byId: false }, point: 'latest' } },
    { text: `hv1/web@${GUID}`, name: { vm: web, point: GUID } },
    { text: GUID, name: { point: GUID } },
    { text: `${GUID}:/disk1`, name: { point: GUID, path: '/disk1' } },
    { text: '0a1b2c3d', name: { point: '0a1b2c3d' } },
  ])('reads $text', ({ text, name }) => expect(parsePointName(text)).toEqual(name));

  it.each(['hv1/web', 'hv1/web@', 'hv1/web@yesterday', 'web@latest', ''])('refuses %j as unreadable', (text) =>
    expect(() => parsePointName(text)).toThrow(expect.objectContaining({ code: 'MABS-NAME-UNREADABLE', kind: 'usage' })),
  );

  it('takes any VM name apart again that a host may have', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.constantFrom('latest', '2026-01-02', GUID), (vm, point) => {
        fc.pre(!/@[^@]*:\//.test(`@${vm}`) && !vm.includes(':/') && !/^\{?[0-9a-f-]{36}\}?$/i.test(vm));
        expect(parsePointName(`h/${vm}@${point}`)).toEqual({ vm: { host: 'h', vm, byId: false }, point });
      }),
    ));

  it('tells a whole disk from what is inside one', () => {
    expect(parseDiskPath('/disk0')).toBe(0);
    expect(parseDiskPath('/disk12/')).toBe(12);
    expect(parseDiskPath('/disk0/p1')).toBeUndefined();
    expect(parseDiskPath('/disk00')).toBeUndefined();
  });
});

describe('hints about unknown names', () => {
  it('name what is near, nearest first', () => {
    expect(nearNames('hv1/wbe', ['hv1/web', 'hv1/web2', 'hv2/database'])).toEqual(['hv1/web', 'hv1/web2']);
    expect(nearNames('x', ['completely-different'])).toEqual([]);
  });
});
