import { join } from 'node:path';

/** The project's own folder. */
export const PROJECT = join(import.meta.dirname, '..');

/** What is costly to make and the same every time: the Debian file system, the conformance program. Never committed. */
export const CACHE = join(PROJECT, '.cache', 'e2e');
