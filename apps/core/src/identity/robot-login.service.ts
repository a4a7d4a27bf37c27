import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { RobotAccountStore, type RobotAccount } from './robot-account.store.js';
import { robotNameOf } from './robot-name.js';
import { RobotUseService } from './robot-use.service.js';

/** Robots that log in by their full name. */
@Injectable()
export class RobotLoginService {
  constructor(
    private readonly store: RobotAccountStore,
    private readonly use: RobotUseService,
    private readonly configuration: ConfigurationService,
  ) {}

  /** The robot with this login name, whatever its state; undefined when it is not a robot's. */
  async find(login: string): Promise<RobotAccount | undefined> {
    const { robot_name_prefix: prefix } = await this.configuration.current();
    const name = robotNameOf(prefix, login);
    return name === undefined ? undefined : this.store.find(name);
  }

  /**
   * The caller that a robot is once its secret has been found right. Who knows the secret may be told what is wrong.
   *
   * @throws Problem UNAUTHORIZED for robots that are disabled or have expired
   */
  admit(robot: RobotAccount, login: string): Caller & { readonly lastWithdrawal: number; readonly validUntil?: number } {
    const { id, level, grants, disabled, expiresAt, expired, lastWithdrawal } = robot;
    if (disabled) throw new Problem('UNAUTHORIZED', 'this robot is disabled; ask an administrator to enable it');
    if (expired && expiresAt !== undefined) throw new Problem('UNAUTHORIZED', `this robot expired on ${expiresAt.toISOString()}; ask an administrator for a longer duration`);
    this.use.used(id);
    const caller = { subject: { kind: 'robot' as const, id, name: login }, robot: { level, grants }, lastWithdrawal };
    return expiresAt === undefined ? caller : { ...caller, validUntil: expiresAt.getTime() / 1000 };
  }
}
