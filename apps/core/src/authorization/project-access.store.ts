import { Injectable } from '@nestjs/common';
import { roleFromNumber } from '@haven/access';
import { Database } from '@haven/database';
import type { KnownProject } from './known-project.js';

interface Row {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
  readonly role: number | null;
}

@Injectable()
export class ProjectAccessStore {
  constructor(private readonly database: Database) {}

  /** The project with this id or name, and the roles of that user (0 for nobody) in it. */
  async find(project: number | string, userId: number): Promise<KnownProject | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT p.id, p.name, p.public, m.role FROM project p LEFT JOIN member m ON m.project_id = p.id AND m.user_id = $2
       WHERE ${typeof project === 'number' ? 'p.id' : 'p.name'} = $1 AND p.deleted_at IS NULL`,
      [project, userId],
    );
    return row && { id: row.id, name: row.name, public: row.public, roles: rolesOf(row.role) };
  }
}

/** The roles behind a `member.role` column, which is empty for those who are no member. */
export function rolesOf(number: number | null): KnownProject['roles'] {
  const role = number === null ? undefined : roleFromNumber(number);
  return role === undefined ? [] : [role];
}
