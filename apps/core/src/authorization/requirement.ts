import type { Action, ProjectResource, SystemResource } from '@haven/access';

/**
 * What a caller needs for a route; the table is that of the Harbor API.
 * - `open`: nothing; credentials are not even looked at, so the route answers while the database is down;
 * - `anyone`: credentials are optional, but wrong ones are refused; the answer depends on who asks;
 * - `authenticated`: any account;
 * - `system`: a permission on the whole installation;
 * - `self-or-system`: the account that the path parameter user_id names, or that system permission;
 * - `project`: a permission on the project that the path names (project_name_or_id or project_name).
 */
export type Requirement =
  | { readonly kind: 'open' }
  | { readonly kind: 'anyone' }
  | { readonly kind: 'authenticated' }
  | SystemRequirement
  | ProjectRequirement;

export interface SystemRequirement {
  readonly kind: 'system' | 'self-or-system';
  readonly resource: SystemResource;
  readonly action: Action;
  /** While self-registration is switched on, visitors of the sign-in page need no account for this. */
  readonly orRegistration?: true;
}

export interface ProjectRequirement {
  readonly kind: 'project';
  /** `project` is the project itself. */
  readonly resource: ProjectResource;
  readonly action: Action;
}

export const open: Requirement = { kind: 'open' };
export const anyone: Requirement = { kind: 'anyone' };
export const authenticated: Requirement = { kind: 'authenticated' };

export function systemPermission(resource: SystemResource, action: Action): SystemRequirement {
  return { kind: 'system', resource, action };
}

export function systemPermissionOrRegistration(resource: SystemResource, action: Action): SystemRequirement {
  return { kind: 'system', resource, action, orRegistration: true };
}

export function selfOr(resource: SystemResource, action: Action): SystemRequirement {
  return { kind: 'self-or-system', resource, action };
}

export function projectPermission(resource: ProjectResource, action: Action): ProjectRequirement {
  return { kind: 'project', resource, action };
}
