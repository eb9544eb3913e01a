import type { CommandBuilder } from '../app.ts';
import { labStateCommand } from './state-command.ts';

export const labSaveCommand: CommandBuilder = (app) => labStateCommand(app, 'save', 'save the state of a simulated VM');
