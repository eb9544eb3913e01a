import type { ConvertReport } from '../../core/disk-convert.ts';
import { formatSize } from '../../lib/sizes.ts';

/** What `disk export` and `disk convert` print. */
export function convertView({ path, format, virtualSize, bytesWritten }: ConvertReport): string {
  return `${path}: ${format}, ${formatSize(virtualSize)} virtual, ${formatSize(bytesWritten)} written`;
}
