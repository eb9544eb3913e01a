import type { FileSystemDriver } from '../file-system.ts';
import { openExt } from './open-ext.ts';

/** Reads ext2, ext3 and ext4. */
export const extDriver: FileSystemDriver = { types: ['ext2', 'ext3', 'ext4'], open: openExt };
