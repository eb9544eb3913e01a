import { Command } from 'commander';
import { createDisk } from '../../core/disk-create.ts';
import { formatSize } from '../../lib/sizes.ts';
import type { App } from '../app.ts';
import { UsageError } from '../usage-error.ts';
import { chooseFormat, oneOf, optionalSize } from './image-format.ts';

interface CreateOptions {
  readonly size?: string;
  readonly format?: string;
  readonly type?: string;
  readonly parent?: string;
  readonly blockSize?: string;
  readonly sectorSize?: string;
  readonly physicalSectorSize?: string;
  readonly id?: string;
  readonly overwrite?: boolean;
}

export function diskCreateCommand(app: App, create = createDisk): Command {
  return new Command('create')
    .summary('Make an image.')
    .argument('<image>', 'the image to make')
    .option('--size <size>', 'virtual size, such as 10GiB; a differencing image has that of its parent')
    .option('--format <format>', 'vhdx, vhd or raw; told by the name of the image when absent')
    .option('--type <type>', 'dynamic, fixed or differencing; dynamic when absent, differencing with --parent')
    .option('--parent <file>', 'the parent of a differencing image')
    .option('--block-size <size>', "bytes in a block; the format's default when absent")
    .option('--sector-size <bytes>', 'logical sector size, 512 or 4096')
    .option('--physical-sector-size <bytes>', 'physical sector size, 512 or 4096')
    .option('--id <guid>', 'disk id; a new one when absent')
    .option('--overwrite', 'replace a file that is there')
    .addHelpText('after', '\nExamples:\n  mabs disk create web01.vhdx --size 40GiB\n  mabs disk create web01.avhdx --parent web01.vhdx')
    .action(async (image: string, options: CreateOptions) => {
      const report = await create(await app.diskFormats(), {
        image,
        format: chooseFormat(image, options.format),
        create: imageOptions(options),
        overwrite: options.overwrite ?? false,
      });
      app.render(report, ({ path, format, subformat, virtualSize }) => `${path}: ${format}, ${subformat}, ${formatSize(virtualSize)}`);
    });
}

function imageOptions({ parent, type, size, sectorSize, physicalSectorSize, blockSize, id }: CreateOptions) {
  const subformat = oneOf('--type', type ?? (parent === undefined ? 'dynamic' : 'differencing'), ['dynamic', 'fixed', 'differencing']);
  if ((subformat === 'differencing') !== (parent !== undefined)) {
    throw new UsageError('a differencing image and --parent go together', 'Name --parent FILE for --type differencing only.');
  }
  if (parent === undefined && size === undefined) throw new UsageError('mabs disk create needs --size', 'Add --size 10GiB.');
  if (parent !== undefined && size !== undefined) throw new UsageError('the parent decides the size', 'Leave --size out.');
  const sizeBytes = optionalSize(size);
  const blockBytes = optionalSize(blockSize);
  return {
    subformat,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(parent !== undefined && { parent }),
    ...(blockBytes !== undefined && { blockSize: blockBytes }),
    ...(sectorSize !== undefined && { logicalSectorSize: sectorBytes('--sector-size', sectorSize) }),
    ...(physicalSectorSize !== undefined && { physicalSectorSize: sectorBytes('--physical-sector-size', physicalSectorSize) }),
    ...(id !== undefined && { diskId: id }),
  };
}

const sectorBytes = (option: string, text: string): 512 | 4096 => (oneOf(option, text, ['512', '4096']) === '512' ? 512 : 4096);
