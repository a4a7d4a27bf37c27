import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { isProjectName } from '@haven/oci';
import { admitToProject } from './admission.js';
import type { KnownProject } from './known-project.js';
import { ProjectAccessStore } from './project-access.store.js';
import { userIdOf } from './role-sql.js';
import type { ProjectRequirement } from './requirement.js';

const LARGEST_ID = 2_147_483_647;

/** Finds the project that a request's path names, with the caller's roles in it. */
@Injectable()
export class ProjectAccessService {
  constructor(private readonly store: ProjectAccessStore) {}

  /** Paths have either `project_name`, or `project_name_or_id`, which X-Is-Resource-Name makes a name. */
  async ofPath(path: Readonly<Record<string, string>>, headers: IncomingHttpHeaders, caller: Caller): Promise<KnownProject | undefined> {
    const name = path['project_name'];
    if (name !== undefined) return this.find(name, caller);
    const nameOrId = path['project_name_or_id'];
    if (nameOrId === undefined) throw new Error('a route that requires a project permission names no project');
    return this.find(isResourceName(headers) ? nameOrId : idOrName(nameOrId), caller);
  }

  /**
   * For routes whose path names no project, but an object of one (a label, a robot, a retention policy): the project
   * with this id or name, when the caller has the permission there. Refuses as the guard does.
   */
  async admit(project: number | string, caller: Caller, requirement: ProjectRequirement): Promise<KnownProject> {
    return admitToProject(caller, await this.find(project, caller), requirement);
  }

  async find(project: number | string, caller: Caller): Promise<KnownProject | undefined> {
    const impossible = typeof project === 'number' ? project > LARGEST_ID : !isProjectName(project);
    if (impossible) return undefined;
    return this.store.find(project, userIdOf(caller));
  }

  /** Those of the projects with these names that there are. */
  async findAll(names: readonly string[], caller: Caller): Promise<KnownProject[]> {
    const possible = names.filter(isProjectName);
    return possible.length === 0 ? [] : this.store.findAll(possible, userIdOf(caller));
  }
}

function isResourceName(headers: IncomingHttpHeaders): boolean {
  const value = headers['x-is-resource-name'];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new Problem('UNPROCESSABLE_ENTITY', 'X-Is-Resource-Name must be true or false');
}

function idOrName(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}
