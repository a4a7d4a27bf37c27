import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { KnownProject } from './known-project.js';
import { rolesOf, rolesSql } from './role-sql.js';

interface Row {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
  readonly roles: number[];
}

@Injectable()
export class ProjectAccessStore {
  constructor(private readonly database: Database) {}

  /** The project with this id or name, and the roles of that user (0 for nobody) in it. */
  async find(project: number | string, userId: number): Promise<KnownProject | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT p.id, p.name, p.public, ${rolesSql('p.id', '$2')} AS roles FROM project p
       WHERE ${typeof project === 'number' ? 'p.id' : 'p.name'} = $1 AND p.deleted_at IS NULL`,
      [project, userId],
    );
    return row && { ...row, roles: rolesOf(row.roles) };
  }
}
