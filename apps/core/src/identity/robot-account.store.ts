import { Injectable } from '@nestjs/common';
import type { RobotGrant } from '@haven/access';
import { Database } from '@haven/database';
import type { RobotName } from './robot-name.js';

/** A robot as logging in needs it. */
export interface RobotAccount {
  readonly id: number;
  readonly level: 'system' | 'project';
  readonly secretHash: string;
  readonly disabled: boolean;
  /** Undefined for robots that live for ever. */
  readonly expiresAt: Date | undefined;
  /** By the database's clock. */
  readonly expired: boolean;
  readonly grants: readonly RobotGrant[];
  /** As Account.lastWithdrawal. */
  readonly lastWithdrawal: number;
}

interface Row {
  readonly id: number;
  readonly level: 'system' | 'project';
  readonly secret_hash: string;
  readonly disabled: boolean;
  readonly expires_at: Date | null;
  readonly expired: boolean;
  readonly grants: readonly GrantColumns[];
  readonly last_withdrawal: number;
}

type GrantColumns = readonly [kind: 'system' | 'project', project: number | null, resource: string, action: string];

const FIELDS = `r.id, r.level, r.secret_hash, r.disabled, r.expires_at, coalesce(r.expires_at <= now(), false) AS expired, coalesce(extract(epoch FROM e.not_before), 0)::float8 AS last_withdrawal,
  (SELECT coalesce(json_agg(json_build_array(g.kind, g.project_id, g.resource, g.action)), '[]') FROM robot_permission g WHERE g.robot_id = r.id) AS grants`;

@Injectable()
export class RobotAccountStore {
  constructor(private readonly database: Database) {}

  async find({ project, name }: RobotName): Promise<RobotAccount | undefined> {
    // A project that is not there is NULL, which equals nothing: its robots are not taken for those of the system.
    const owner = project === undefined ? '0' : '(SELECT p.id FROM project p WHERE p.name = $2 AND p.deleted_at IS NULL)';
    const [row] = await this.database.query<Row>(
      `SELECT ${FIELDS} FROM robot r LEFT JOIN access_epoch e ON e.subject = 'robot:' || r.id WHERE coalesce(r.project_id, 0) = ${owner} AND r.name = $1`,
      project === undefined ? [name] : [name, project],
    );
    return row && {
      id: row.id, level: row.level, secretHash: row.secret_hash, disabled: row.disabled, expiresAt: row.expires_at ?? undefined, expired: row.expired,
      grants: row.grants.map(grantOf), lastWithdrawal: row.last_withdrawal,
    };
  }

  /** Notes when robots were seen last; an older time changes nothing. */
  async noteUse(seen: ReadonlyMap<number, Date>): Promise<void> {
    await this.database.execute(
      `UPDATE robot r SET last_used_at = greatest(r.last_used_at, s.at) FROM unnest($1::int[], $2::timestamptz[]) AS s (id, at) WHERE r.id = s.id`,
      [[...seen.keys()], [...seen.values()]],
    );
  }
}

/** A row of robot_permission as a grant; project rights without a project are for all of them. */
export function grantOf([kind, project, resource, action]: GrantColumns): RobotGrant {
  return kind === 'system' ? { kind, resource, action } : { kind, project: project ?? '*', resource, action };
}
