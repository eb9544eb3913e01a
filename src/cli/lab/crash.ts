import type { CommandBuilder } from '../app.ts';
import { labStateCommand } from './state-command.ts';

export const labCrashCommand: CommandBuilder = (app) => labStateCommand(app, 'crash', 'cut the power of a simulated VM');
