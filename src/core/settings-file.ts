import { z } from 'zod';
import { type SettingName, settingNamed } from './settings.ts';

const readable = (name: SettingName) =>
  z
    .string()
    .superRefine((value, context) => {
      try {
        settingNamed(name).check(value);
      } catch (error) {
        context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      }
    })
    .exactOptional();

/** settings.json: what a user wants to be the default in this home. */
export const settingsSchema = z.strictObject({
  version: z.literal(1),
  progress: readable('progress'),
  wait: readable('wait'),
  logLevel: readable('logLevel'),
  trash: readable('trash'),
});
