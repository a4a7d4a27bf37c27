import { Injectable } from '@nestjs/common';
import { mayGrant, type Caller, type RobotGrant } from '@haven/access';
import { Problem } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { visibleProjects } from '../authorization/role-sql.js';
import { grantFor, keyOf, namespacesOf, type WantedGrant } from './robot-permissions.js';
import type { RobotLevel } from './robot-rules.js';

/** Decides what a caller may give to a robot: what is there, and what the caller holds. */
@Injectable()
export class RobotGrantService {
  constructor(private readonly projects: ProjectAccessService) {}

  /**
   * The grants behind the wishes.
   *
   * @param had what the robot has already; nobody needs to hold that to leave it in place
   * @throws Problem DENIED for rights that the caller does not hold, NOT_FOUND for projects that are not there when the
   *   caller may know
   */
  async granted(caller: Caller, level: RobotLevel, wanted: readonly WantedGrant[], had: readonly RobotGrant[] = []): Promise<RobotGrant[]> {
    const names = namespacesOf(wanted);
    const projects = await this.projects.findAll(names, caller);
    const known = new Map(projects.map((project) => [project.name, project]));
    const missing = names.find((name) => !known.has(name));
    if (missing !== undefined && visibleProjects(caller).kind === 'all') throw new Problem('NOT_FOUND', `permissions: there is no project called "${missing.slice(0, 255)}"`);
    const ids = new Map(projects.map((project) => [project.name, project.id]));
    const present = new Set(had.map(keyOf));
    return wanted.map((wish) => {
      const grant = grantFor(wish, ids);
      if (grant !== undefined && (present.has(keyOf(grant)) || mayGrant(caller, level, grant, projectOf(wish, known)))) return grant;
      const where = wish.kind === 'system' ? 'on the system' : `in "${wish.namespace.slice(0, 255)}"`;
      throw new Problem('DENIED', `you do not hold ${wish.resource}:${wish.action} ${where}, so you cannot give it to a robot`);
    });
  }
}

function projectOf(wish: WantedGrant, known: ReadonlyMap<string, KnownProject>): KnownProject | undefined {
  return wish.kind === 'project' ? known.get(wish.namespace) : undefined;
}
