import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type RobotCreated, type RobotCreateV1 } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { wantedGrants } from './robot-permissions.js';
import { lifeUntil, requiredName } from './robot-rules.js';
import { RobotService } from './robot.service.js';

/** The older form of request, in which resources have their project in front: "/project/7/repository". */
@Injectable()
export class ProjectRobotService {
  constructor(
    private readonly robots: RobotService,
    private readonly configuration: ConfigurationService,
  ) {}

  async create(caller: Caller, project: KnownProject, { name: wantedName, description, expires_at: until, access = [] }: RobotCreateV1): Promise<RobotCreated> {
    const { robot_name_prefix: prefix, robot_token_duration: standardDays } = await this.configuration.current();
    const name = requiredName(wantedName, prefix, project.name);
    const createdAt = new Date();
    const life = lifeUntil(until, createdAt, standardDays);
    const permission = { kind: 'project', namespace: project.name, access: access.map((line) => ({ ...line, resource: resourceIn(project, line.resource) })) };
    return this.robots.make(caller, { name, level: 'project', project, description: description ?? '', disabled: false, ...life, createdAt, wanted: wantedGrants('project', [permission]) });
  }
}

function resourceIn({ id }: KnownProject, text: string): string {
  const [, named, resource] = /^\/project\/(\d{1,10})(?:\/([a-z-]+))?$/.exec(text) ?? [];
  if (named !== String(id)) throw new Problem('BAD_REQUEST', `access: "${text.slice(0, 64)}" is not a resource of this project, as /project/${id}/repository is`);
  return resource ?? 'project';
}
