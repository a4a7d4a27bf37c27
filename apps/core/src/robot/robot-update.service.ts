import { Injectable } from '@nestjs/common';
import type { Caller, RobotGrant } from '@haven/access';
import { Problem, type RobotUpdate } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { RobotGrantService } from './robot-grant.service.js';
import { keyOf, namespacesOf, wantedGrants } from './robot-permissions.js';
import { expiryOf, requiredDuration } from './robot-rules.js';
import { audit } from './robot.service.js';
import { fullNameOf, RobotViewService } from './robot-view.service.js';
import { deleteGrants, insertGrants, lockRobot, updateRobot, type RobotRow } from './robot.store.js';

/** What a robot is to become. */
interface Change {
  readonly description: string;
  readonly disabled: boolean;
  readonly duration: number;
  readonly expiresAt: Date | undefined;
  /** Undefined: they stay. */
  readonly grants: readonly RobotGrant[] | undefined;
}

/** Changes robots. Level, name and project stay what they were; what is taken away ends at once, also in tokens. */
@Injectable()
export class RobotUpdateService {
  constructor(
    private readonly view: RobotViewService,
    private readonly grants: RobotGrantService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  async update(caller: Caller, id: number, request: RobotUpdate, project?: KnownProject): Promise<void> {
    const robot = await this.view.admitted(caller, id, 'update', project);
    const fullName = fullNameOf(robot, await this.view.prefix());
    requireSame(robot, fullName, request);
    const grants = await this.#grants(caller, robot, request);
    const lost = await this.database.transaction(async (transaction) => {
      const current = await lockRobot(transaction, id);
      if (current === undefined) throw new Problem('NOT_FOUND', 'there is no such robot');
      const change = changeOf(current, request, grants);
      if (change.grants !== undefined && !sameGrants(current.grants, robot.grants)) throw new Problem('CONFLICT', 'the permissions of the robot were changed by somebody else just now; read it again');
      await apply(transaction, current, change);
      const losesRights = loses(current, change);
      if (losesRights) await withdrawTokens(transaction, [`robot:${id}`]);
      await audit(transaction, caller, 'update', fullName, robot.project);
      return losesRights;
    });
    if (lost) this.broadcasts.publish('access-changed', {});
  }

  async #grants(caller: Caller, robot: RobotRow, { permissions }: RobotUpdate): Promise<readonly RobotGrant[] | undefined> {
    if (permissions === undefined || permissions === null) return undefined;
    const wanted = wantedGrants(robot.level, permissions);
    const elsewhere = namespacesOf(wanted).find((name) => robot.project !== undefined && name !== robot.project.name);
    if (elsewhere !== undefined) throw new Problem('BAD_REQUEST', 'permissions: the robot of a project stays in it; make another robot for another project');
    return this.grants.granted(caller, robot.level, wanted, robot.grants);
  }
}

function requireSame({ level, name }: RobotRow, fullName: string, request: RobotUpdate): void {
  if (request.level !== undefined && request.level !== level) throw new Problem('BAD_REQUEST', 'level cannot be changed; make another robot');
  if (request.name !== undefined && request.name !== fullName && request.name !== name) throw new Problem('BAD_REQUEST', 'name cannot be changed; make another robot');
}

/** The end is counted from when the robot was made. */
function changeOf(robot: RobotRow, { description, disable, duration }: RobotUpdate, grants: readonly RobotGrant[] | undefined): Change {
  const same = duration === undefined || duration === null || duration === robot.duration;
  return {
    description: description ?? robot.description,
    disabled: disable ?? robot.disabled,
    duration: same ? robot.duration : requiredDuration(duration),
    expiresAt: same ? robot.expiresAt : expiryOf(robot.createdAt, requiredDuration(duration)),
    grants,
  };
}

async function apply(transaction: Transaction, robot: RobotRow, change: Change): Promise<void> {
  await updateRobot(transaction, robot.id, change);
  if (change.grants === undefined) return;
  await deleteGrants(transaction, robot.id);
  if (!(await insertGrants(transaction, robot.id, change.grants))) throw new Problem('NOT_FOUND', 'a project in permissions was deleted just now');
}

function loses(robot: RobotRow, change: Change): boolean {
  const kept = new Set((change.grants ?? robot.grants).map(keyOf));
  const sooner = change.expiresAt !== undefined && (robot.expiresAt === undefined || change.expiresAt < robot.expiresAt);
  return (change.disabled && !robot.disabled) || sooner || robot.grants.some((grant) => !kept.has(keyOf(grant)));
}

function sameGrants(some: readonly RobotGrant[], others: readonly RobotGrant[]): boolean {
  const keys = new Set(some.map(keyOf));
  return some.length === others.length && others.every((grant) => keys.has(keyOf(grant)));
}
