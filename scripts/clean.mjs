// Removes what was built, so that nothing of a module that is gone stays. Run by whatever Node.js npm itself runs on.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
