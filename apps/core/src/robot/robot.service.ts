import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type RobotCreate, type RobotCreated } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { requireSystem } from '../authorization/admission.js';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission, systemPermission } from '../authorization/requirement.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { PasswordService } from '../identity/password.service.js';
import { generateRobotSecret, hashGeneratedSecret } from '../identity/robot-secret.js';
import { RobotGrantService } from './robot-grant.service.js';
import { wantedGrants, type WantedGrant } from './robot-permissions.js';
import { expiryOf, requiredDuration, requiredLevel, requiredName, type RobotLevel } from './robot-rules.js';
import { fullNameOf, RobotViewService, secondsOf } from './robot-view.service.js';
import { creatorExpiry, deleteRobot, insertGrants, insertRobot, lockRobot, updateSecret, type RobotRow } from './robot.store.js';

/** A robot that somebody wants made, with everything about it checked but what the caller may give. */
export interface WantedRobot {
  readonly name: string;
  readonly level: RobotLevel;
  readonly project: KnownProject | undefined;
  readonly description: string;
  readonly disabled: boolean;
  readonly duration: number;
  readonly expiresAt: Date | undefined;
  readonly createdAt: Date;
  readonly wanted: readonly WantedGrant[];
}

/** Makes and removes robots, and their secrets. */
@Injectable()
export class RobotService {
  constructor(
    private readonly view: RobotViewService,
    private readonly grants: RobotGrantService,
    private readonly projects: ProjectAccessService,
    private readonly passwords: PasswordService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /** Makes a robot of the system or of the project that its one permission names. */
  async create(caller: Caller, request: RobotCreate): Promise<RobotCreated> {
    const level = requiredLevel(request.level);
    const project = await this.#admit(caller, level, request);
    const name = requiredName(request.name, await this.view.prefix(), project?.name);
    const duration = requiredDuration(request.duration);
    const createdAt = new Date();
    const wanted = wantedGrants(level, request.permissions);
    const { description, disable = false } = request;
    return this.make(caller, { name, level, project, description: description ?? '', disabled: disable, duration, expiresAt: expiryOf(createdAt, duration), createdAt, wanted });
  }

  /** Makes the robot that is wanted, within what the caller holds. The answer has the secret, for the only time. */
  async make(caller: Caller, robot: WantedRobot): Promise<RobotCreated> {
    const grants = await this.grants.granted(caller, robot.level, robot.wanted);
    const fullName = fullNameOf(robot, await this.view.prefix());
    const secret = generateRobotSecret();
    const id = await this.database.transaction(async (transaction) => {
      await requireShorterLife(transaction, caller, robot.expiresAt);
      const created = await insertRobot(transaction, { ...robot, projectId: robot.project?.id, secretHash: hashGeneratedSecret(secret), creator: subjectId(caller.subject) });
      if (created === undefined) throw new Problem('CONFLICT', `there is a robot called ${fullName} already; choose another name`);
      if (!(await insertGrants(transaction, created, grants))) throw new Problem('NOT_FOUND', 'a project in permissions was deleted just now');
      await audit(transaction, caller, 'create', fullName, robot.project);
      return created;
    });
    return { id, name: fullName, secret, creation_time: robot.createdAt.toISOString(), expires_at: secondsOf(robot.expiresAt) };
  }

  /** Gives the robot another secret; resolves to it when it was generated, else to "". The old one ends at once. */
  async refresh(caller: Caller, id: number, chosen: string, address: string): Promise<string> {
    const robot = await this.view.admitted(caller, id, 'update');
    if (chosen !== '') requireGoodPassword(chosen, 'secret');
    const generated = chosen === '' ? generateRobotSecret() : '';
    const hash = chosen === '' ? hashGeneratedSecret(generated) : await this.passwords.hash(chosen, address);
    await this.#change(caller, robot, 'update', (transaction) => updateSecret(transaction, id, hash));
    return generated;
  }

  async delete(caller: Caller, id: number, project?: KnownProject): Promise<void> {
    const robot = await this.view.admitted(caller, id, 'delete', project);
    await this.#change(caller, robot, 'delete', (transaction) => deleteRobot(transaction, id));
  }

  async #admit(caller: Caller, level: RobotLevel, { permissions }: RobotCreate): Promise<KnownProject | undefined> {
    if (level === 'project') return this.#admitToProject(caller, permissions?.[0]?.namespace);
    requireSystem(caller, systemPermission('robot', 'create'));
    return undefined;
  }

  async #admitToProject(caller: Caller, name: string | undefined): Promise<KnownProject> {
    if (name === undefined) throw new Problem('BAD_REQUEST', 'permissions must say what the robot may do in which project');
    return this.projects.admit(name, caller, projectPermission('robot', 'create'));
  }

  /** A change that ends what the robot could do with its secret or tokens so far. */
  async #change(caller: Caller, robot: RobotRow, operation: 'update' | 'delete', work: (transaction: Transaction) => Promise<void>): Promise<void> {
    const fullName = fullNameOf(robot, await this.view.prefix());
    await this.database.transaction(async (transaction) => {
      if ((await lockRobot(transaction, robot.id)) === undefined) throw new Problem('NOT_FOUND', 'there is no such robot');
      await work(transaction);
      await withdrawTokens(transaction, [`robot:${robot.id}`]);
      await audit(transaction, caller, operation, fullName, robot.project);
    });
    this.broadcasts.publish('access-changed', {});
  }
}

/** What a robot makes does not outlive it. */
async function requireShorterLife(transaction: Transaction, { subject }: Caller, expiresAt: Date | undefined): Promise<void> {
  if (subject.kind !== 'robot') return;
  const own = await creatorExpiry(transaction, subject.id);
  if (own === 'gone') throw new Problem('UNAUTHORIZED', 'this robot was deleted or disabled just now');
  if (own === undefined || (expiresAt !== undefined && expiresAt <= own)) return;
  throw new Problem('DENIED', `a robot cannot make one that lives longer than itself; this one lives until ${own.toISOString()}`);
}

/** Puts what was done to a robot into the audit trail. */
export async function audit(transaction: Transaction, caller: Caller, operation: 'create' | 'update' | 'delete', fullName: string, project: { readonly id: number } | undefined): Promise<void> {
  const entry = { operation, resourceType: 'robot', resource: fullName, description: `${operation} robot: ${fullName}` };
  await recordAudit(transaction, caller, project === undefined ? entry : { ...entry, project: project.id });
}
