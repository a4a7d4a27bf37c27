import { can, canOnSystem, type Caller } from '@haven/access';
import { Problem } from '@haven/api';
import type { KnownProject } from './known-project.js';
import type { ProjectRequirement, SystemRequirement } from './requirement.js';

const LOG_IN = 'log in to do this: send a user name and password with Basic authentication';

/** Refuses anonymous callers with 401. */
export function requireLogin(caller: Caller): void {
  if (caller.subject.kind === 'anonymous') throw new Problem('UNAUTHORIZED', LOG_IN);
}

/**
 * Refuses callers without the system permission: 401 for the anonymous one, else 403.
 *
 * @param self the user id that needs no permission, for `self-or-system`
 */
export function requireSystem(caller: Caller, { resource, action }: SystemRequirement, self?: string): void {
  requireLogin(caller);
  const { subject } = caller;
  if (self !== undefined && subject.kind === 'user' && String(subject.id) === self) return;
  if (!canOnSystem(caller, action, resource)) throw new Problem('FORBIDDEN', `your account may not ${action} ${plural(resource)}; ask a system administrator`);
}

/**
 * The project, when the caller has the permission there. A project that does not exist looks like one that the caller
 * may not see; only those who may see every project are told 404.
 */
export function admitToProject(caller: Caller, project: KnownProject | undefined, { resource, action }: ProjectRequirement): KnownProject {
  if (can(caller, action, resource, project ?? { id: 0, public: false, roles: [] })) {
    if (project === undefined) throw new Problem('NOT_FOUND', 'there is no such project');
    return project;
  }
  requireLogin(caller);
  throw new Problem('FORBIDDEN', `your account may not ${action} ${resource === 'project' ? 'this project' : `${plural(resource)} of this project`}; ask an administrator of the project`);
}

function plural(resource: string): string {
  const words = resource.replaceAll('-', ' ');
  return words.endsWith('y') ? `${words.slice(0, -1)}ies` : `${words}s`;
}
