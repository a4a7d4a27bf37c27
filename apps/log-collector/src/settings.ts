import { readSettingsOrExit, runtimeSettings, wholeNumber } from '@haven/runtime';
import { z } from 'zod';

const MIB = 1024 * 1024;

export const settingsSchema = z.object({
  ...runtimeSettings(9084),
  HAVEN_LOG_DIR: z.string().min(1).max(4096).describe('the folder in which the log files are kept'),
  /** A file is rotated before it grows beyond this. */
  HAVEN_LOG_FILE_BYTES: wholeNumber(64 * 1024, 1024 * MIB).default(64 * MIB),
  /** Rotated files kept for each service. */
  HAVEN_LOG_FILES: wholeNumber(1, 10_000).default(10),
  /** Rotated files older than this are removed. */
  HAVEN_LOG_DAYS: wholeNumber(1, 3650).default(30),
  /** Below this much free disk space the oldest rotated files are removed. */
  HAVEN_LOG_MIN_FREE_BYTES: wholeNumber(0, 1024 * 1024 * MIB).default(128 * MIB),
});

export type Settings = z.infer<typeof settingsSchema>;

export function loadSettings(): Settings {
  return readSettingsOrExit('log-collector', settingsSchema, process.env);
}
