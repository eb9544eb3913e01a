import type { CommandBuilder } from '../app.ts';
import { labStateCommand } from './state-command.ts';

export const labStopCommand: CommandBuilder = (app) => labStateCommand(app, 'stop', 'shut a simulated VM down');
