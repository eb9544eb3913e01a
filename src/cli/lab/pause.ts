import type { CommandBuilder } from '../app.ts';
import { labStateCommand } from './state-command.ts';

export const labPauseCommand: CommandBuilder = (app) => labStateCommand(app, 'pause', 'hold a simulated VM in memory');
