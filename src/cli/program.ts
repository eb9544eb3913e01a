/** One command: its words, what it does in one line, and the module that builds it, loaded when it is called. */
export interface ProgramEntry {
  readonly name: string;
  readonly summary: string;
  readonly section: Section;
  readonly load: () => Promise<object>;
}

export type Section = 'Set up' | 'Back up and recover' | 'Watch' | 'Images and labs' | 'mabs itself';

/** Every command of mabs. A new subcommand is one line here. */
export const program: readonly ProgramEntry[] = [
  entry('Set up', 'init', 'make a home: catalog, configuration, log', () => import('./init.ts')),
  entry('Set up', 'pool add', 'make a storage volume of the disk pool', () => import('./pool/add.ts')),
  entry('Set up', 'pool import', 'take over a pool made elsewhere, or bring a lost catalog back', () => import('./pool/import.ts')),
  entry('Set up', 'pool list', 'list the pools', () => import('./pool/list.ts')),
  entry('Set up', 'pool show', 'show how full a pool is', () => import('./pool/show.ts')),
  entry('Set up', 'pool check', 'read back what is stored and compare it with its digests', () => import('./pool/check.ts')),
  entry('Set up', 'pool prune', 'apply retention, empty what is due, give space back', () => import('./pool/prune.ts')),
  entry('Set up', 'pool remove', 'forget a pool; its data stays', () => import('./pool/remove.ts')),
  entry('Set up', 'pool key add', 'add a passphrase to an encrypted pool', () => import('./pool/key-add.ts')),
  entry('Set up', 'pool key remove', 'remove a passphrase or recovery key', () => import('./pool/key-remove.ts')),
  entry('Set up', 'pool key list', 'list passphrases and recovery keys', () => import('./pool/key-list.ts')),
  entry('Set up', 'pool key export', 'print a recovery key', () => import('./pool/key-export.ts')),
  entry('Set up', 'host add', 'add a host where VMs run', () => import('./host/add.ts')),
  entry('Set up', 'host list', 'list the hosts', () => import('./host/list.ts')),
  entry('Set up', 'host check', 'check what a host needs', () => import('./host/check.ts')),
  entry('Set up', 'host remove', 'forget a host; its points stay', () => import('./host/remove.ts')),
  entry('Set up', 'vm list', 'list the VMs of the hosts', () => import('./vm/list.ts')),
  entry('Back up and recover', 'protect', 'put VMs into a protection group', () => import('./protect.ts')),
  entry('Back up and recover', 'group list', 'list the protection groups', () => import('./group/list.ts')),
  entry('Back up and recover', 'group show', 'show the policy and the members of a group', () => import('./group/show.ts')),
  entry('Back up and recover', 'group confirm', 'confirm the groups of an imported pool', () => import('./group/confirm.ts')),
  entry('Back up and recover', 'group remove-member', 'stop protecting a VM', () => import('./group/remove-member.ts')),
  entry('Back up and recover', 'group remove', 'remove a group', () => import('./group/remove.ts')),
  entry('Back up and recover', 'sync', 'bring replicas up to date with what changed', () => import('./sync.ts')),
  entry('Back up and recover', 'checkpoint', 'make recovery points', () => import('./checkpoint.ts')),
  entry(
    'Back up and recover',
    'consistency-check',
    'compare with the source, transfer only what differs',
    () => import('./consistency-check.ts'),
  ),
  entry('Back up and recover', 'recover', 'bring back a VM, a disk or files', () => import('./recover.ts')),
  entry('Back up and recover', 'find', 'find files in all recovery points', () => import('./find.ts')),
  entry('Back up and recover', 'browse', 'look into a recovery point and pick files', () => import('./browse.ts')),
  entry('Back up and recover', 'diff', 'show what differs between two recovery points', () => import('./diff.ts')),
  entry('Back up and recover', 'point list', 'list recovery points', () => import('./point/list.ts')),
  entry('Back up and recover', 'point show', 'show a recovery point', () => import('./point/show.ts')),
  entry('Back up and recover', 'point calendar', 'show which days have recovery points', () => import('./point/calendar.ts')),
  entry('Back up and recover', 'point create', 'make recovery points: the same as checkpoint', () => import('./checkpoint.ts')),
  entry('Back up and recover', 'point hold', 'keep a recovery point whatever the policy says', () => import('./point/hold.ts')),
  entry('Back up and recover', 'point release', 'end a hold', () => import('./point/release.ts')),
  entry('Back up and recover', 'point remove', 'move a recovery point to the trash', () => import('./point/remove.ts')),
  entry('Watch', 'status', 'show what is protected and what needs attention', () => import('./status.ts')),
  entry('Watch', 'job list', 'list the jobs', () => import('./job/list.ts')),
  entry('Watch', 'job show', 'show a job and its result', () => import('./job/show.ts')),
  entry('Watch', 'alert list', 'list what needs attention', () => import('./alert/list.ts')),
  entry('Watch', 'alert show', 'show an alert', () => import('./alert/show.ts')),
  entry('Watch', 'alert resolve', 'mark an alert as done', () => import('./alert/resolve.ts')),
  entry('Images and labs', 'disk info', 'describe a VHDX, AVHDX, VHD or raw image', () => import('./disk/info.ts')),
  entry('Images and labs', 'disk map', 'show where the data of an image lies', () => import('./disk/map.ts')),
  entry('Images and labs', 'disk export', 'write the content of an image to a raw file', () => import('./disk/export.ts')),
  entry('Images and labs', 'disk ls', 'list the volumes of an image, or the files on them', () => import('./disk/ls.ts')),
  entry('Images and labs', 'disk cat', 'print the bytes of a file in an image', () => import('./disk/cat.ts')),
  entry('Images and labs', 'disk find', 'find files on the volumes of an image', () => import('./disk/find.ts')),
  entry('Images and labs', 'disk create', 'make an image', () => import('./disk/create.ts')),
  entry('Images and labs', 'disk write', 'write into an image', () => import('./disk/write.ts')),
  entry('Images and labs', 'disk convert', 'convert an image to another format', () => import('./disk/convert.ts')),
  entry('Images and labs', 'lab init', 'make a simulated host with two VMs', () => import('./lab/init.ts')),
  entry('Images and labs', 'lab write', 'write into a simulated VM as its guest would', () => import('./lab/write.ts')),
  entry('Images and labs', 'lab start', 'start a simulated VM', () => import('./lab/start.ts')),
  entry('Images and labs', 'lab stop', 'shut a simulated VM down', () => import('./lab/stop.ts')),
  entry('Images and labs', 'lab save', 'save the state of a simulated VM', () => import('./lab/save.ts')),
  entry('Images and labs', 'lab pause', 'hold a simulated VM in memory', () => import('./lab/pause.ts')),
  entry('Images and labs', 'lab fault', 'switch faults of a simulated VM on and off', () => import('./lab/fault.ts')),
  entry('Images and labs', 'lab crash', 'cut the power of a simulated VM', () => import('./lab/crash.ts')),
  entry('mabs itself', 'config show', 'show every setting and where its value comes from', () => import('./config/show.ts')),
  entry('mabs itself', 'config validate', 'check the files of the home', () => import('./config/validate.ts')),
  entry('mabs itself', 'completion', 'print a completion script for a shell', async () => {
    const { completionFor } = await import('./completion.ts');
    return { completionCommand: completionFor(program) };
  }),
  entry('mabs itself', 'version', 'print the version', () => import('./version.ts')),
];

/** The command that a command line begins with (its longest name), and the words that follow. */
export function findCommand(words: readonly string[]): { readonly entry: ProgramEntry; readonly rest: string[] } | undefined {
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const name = words.slice(0, count).join(' ');
    const found = program.find((candidate) => candidate.name === name);
    if (found) return { entry: found, rest: words.slice(count) };
  }
  return undefined;
}

/** Commands whose name begins with these words: `pool` has several. */
export function commandsUnder(words: readonly string[]): ProgramEntry[] {
  const prefix = `${words.join(' ')} `;
  return program.filter(({ name }) => name.startsWith(prefix));
}

function entry(section: Section, name: string, summary: string, load: () => Promise<object>): ProgramEntry {
  return { section, name, summary, load };
}
