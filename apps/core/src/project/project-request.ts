import { canOnSystem, type Caller } from '@haven/access';
import { MOST_STORAGE, Problem, UNLIMITED_STORAGE, type Configuration, type ProjectReq } from '@haven/api';

/** Refuses callers who may not make projects as things are set; robots need the right, whatever is set. */
export function requireCreator(caller: Caller, { project_creation_restriction: restriction }: Configuration): void {
  if (canOnSystem(caller, 'create', 'project')) return;
  if (caller.subject.kind !== 'user') throw new Problem('FORBIDDEN', 'this robot may not make projects; it needs project:create on the system');
  if (restriction !== 'everyone') throw new Problem('FORBIDDEN', 'only system administrators may make projects here; ask one of them');
}

/** Proxy caches are made by system administrators; there are none yet. */
export function refuseProxyCache(caller: Caller, { registry_id: registry }: ProjectReq): void {
  if (registry === undefined || registry === null || registry === 0) return;
  const { subject } = caller;
  if (subject.kind !== 'user' || !subject.sysadmin) throw new Problem('FORBIDDEN', 'only system administrators may make proxy caches; leave registry_id out');
  throw new Problem('BAD_REQUEST', `a project cannot be a proxy cache of the registry with the id ${registry}; leave registry_id out`);
}

/** Bytes that a new project may hold: what a system administrator asks for, otherwise what is set for all. */
export function storageLimitFor(caller: Caller, { storage_limit: limit }: ProjectReq, { storage_per_project: standard }: Configuration): number {
  const { subject } = caller;
  if (limit === undefined || limit === null || limit === 0 || subject.kind !== 'user' || !subject.sysadmin) return standard;
  requireStorageLimit(limit, 'storage_limit');
  return limit;
}

/** Refuses what no project can be limited to. */
export function requireStorageLimit(limit: number, field: string): void {
  if (limit === UNLIMITED_STORAGE || (limit > 0 && limit <= MOST_STORAGE)) return;
  throw new Problem('BAD_REQUEST', `${field} must be ${UNLIMITED_STORAGE} (no limit) or 1 to ${MOST_STORAGE} bytes`);
}
