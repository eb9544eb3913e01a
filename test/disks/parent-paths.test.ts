import { describe, expect, it } from '@jest/globals';
import { locatorPaths, parentPaths } from '../../src/disks/parent-paths.ts';

describe('where a parent is looked for', () => {
  it.each([
    {
      what: 'beside the image, on Windows',
      platform: 'win32' as const,
      child: 'D:\\vm\\child.avhdx',
      locator: { relativePath: '.\\base.vhdx', absolutePath: 'C:\\old\\base.vhdx' },
      paths: ['D:\\vm\\base.vhdx', 'C:\\old\\base.vhdx'],
    },
    {
      what: 'on a volume by its GUID, on Windows',
      platform: 'win32' as const,
      child: 'D:\\vm\\child.avhdx',
      locator: { volumePath: '\\\\?\\Volume{26A21BDA-A627-11D7-9931-806E6F6E6963}\\base.vhdx' },
      paths: ['\\\\?\\Volume{26A21BDA-A627-11D7-9931-806E6F6E6963}\\base.vhdx', 'D:\\vm\\base.vhdx'],
    },
    {
      what: 'on the share that the image lies on',
      platform: 'win32' as const,
      child: '\\\\srv\\vms\\a\\child.avhdx',
      locator: { relativePath: '..\\b\\base.vhdx', absolutePath: '\\\\SRV\\vms\\c\\base.vhdx' },
      paths: ['\\\\srv\\vms\\b\\base.vhdx', '\\\\SRV\\vms\\c\\base.vhdx', '\\\\srv\\vms\\a\\base.vhdx'],
    },
    {
      what: 'never on another server, nor on a device',
      platform: 'win32' as const,
      child: 'D:\\vm\\child.avhdx',
      locator: { volumePath: '\\\\.\\PhysicalDrive0', absolutePath: '\\\\evil\\share\\base.vhdx' },
      paths: ['D:\\vm\\PhysicalDrive0', 'D:\\vm\\base.vhdx'],
    },
    {
      what: 'by a Windows path turned, elsewhere',
      platform: 'linux' as const,
      child: '/vm/a/child.avhdx',
      locator: { relativePath: '..\\b\\base.vhdx', absolutePath: 'C:\\old\\base.vhdx' },
      paths: ['/vm/b/base.vhdx', '/vm/a/..\\b\\base.vhdx', '/vm/a/base.vhdx'],
    },
    {
      what: 'by an absolute path as it is, elsewhere',
      platform: 'linux' as const,
      child: '/vm/child.avhdx',
      locator: { absolutePath: '/images/base.vhdx' },
      paths: ['/images/base.vhdx', '/vm/base.vhdx'],
    },
    {
      what: 'never by a name with a NUL in it',
      platform: 'linux' as const,
      child: '/vm/child.avhdx',
      locator: { relativePath: 'a\0b' },
      paths: [],
    },
  ])('is $what', ({ platform, child, locator, paths }) => expect(parentPaths(child, locator, platform)).toEqual(paths));

  it.each([
    { platform: 'linux' as const, child: '/vm/child.avhdx', parent: '/vm/base.vhdx', relativePath: '.\\base.vhdx' },
    { platform: 'linux' as const, child: '/vm/a/child.avhdx', parent: '/vm/b/base.vhdx', relativePath: '..\\b\\base.vhdx' },
    { platform: 'win32' as const, child: 'D:\\vm\\child.avhdx', parent: 'D:\\vm\\x\\base.vhdx', relativePath: '.\\x\\base.vhdx' },
    { platform: 'win32' as const, child: 'D:\\vm\\child.avhdx', parent: 'E:\\base.vhdx', relativePath: undefined },
  ])('a new child says $relativePath of $parent on $platform', ({ platform, child, parent, relativePath }) =>
    expect(locatorPaths(child, parent, platform)).toEqual({ absolutePath: parent, ...(relativePath ? { relativePath } : {}) }),
  );
});
