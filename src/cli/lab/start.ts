import type { CommandBuilder } from '../app.ts';
import { labStateCommand } from './state-command.ts';

export const labStartCommand: CommandBuilder = (app) => labStateCommand(app, 'start', 'start a simulated VM');
