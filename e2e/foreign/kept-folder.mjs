import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../cache.mjs';

/**
 * A folder in the cache that is made once for the same `recipe`, whole or not at all.
 * @param {string} name
 * @param {string} recipe what it is made from; another recipe makes another folder
 * @param {(folder: string) => void} make fills an empty folder
 */
export function keptFolder(name, recipe, make) {
  const path = join(CACHE, `${name}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(join(CACHE, `.${name}-`));
  try {
    make(partial);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  return path;
}
