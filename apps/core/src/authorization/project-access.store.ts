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
    const [found] = await this.#select(`${typeof project === 'number' ? 'p.id' : 'p.name'} = $1`, project, userId);
    return found;
  }

  findAll(names: readonly string[], userId: number): Promise<KnownProject[]> {
    return this.#select('p.name = ANY($1::text[])', names, userId);
  }

  async #select(condition: string, value: unknown, userId: number): Promise<KnownProject[]> {
    const rows = await this.database.query<Row>(
      `SELECT p.id, p.name, p.public, ${rolesSql('p.id', '$2')} AS roles FROM project p WHERE ${condition} AND p.deleted_at IS NULL`,
      [value, userId],
    );
    return rows.map((row) => ({ ...row, roles: rolesOf(row.roles) }));
  }
}
