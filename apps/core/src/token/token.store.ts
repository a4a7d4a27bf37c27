import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { KnownProject } from '../authorization/known-project.js';
import { rolesOf, rolesSql } from '../authorization/role-sql.js';

/** What a token may be granted from. */
export interface Ground extends KnownProject {
  /** Seconds since 1970 of the latest withdrawal of the project's tokens that this reading has seen; 0 when there was none. */
  readonly lastWithdrawal: number;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
  readonly roles: number[];
  readonly last_withdrawal: number;
}

@Injectable()
export class TokenStore {
  constructor(private readonly database: Database) {}

  /** The projects of these names, with the roles of that user (0 is nobody) in them, read in one moment. */
  async grounds(names: readonly string[], userId: number): Promise<Ground[]> {
    if (names.length === 0) return [];
    const rows = await this.database.query<Row>(
      `SELECT p.id, p.name, p.public, ${rolesSql('p.id', '$2')} AS roles, coalesce(extract(epoch FROM e.not_before), 0)::float8 AS last_withdrawal
       FROM project p
       LEFT JOIN access_epoch e ON e.subject = 'project:' || p.id
       WHERE p.name = ANY($1::text[]) AND p.deleted_at IS NULL`,
      [names, userId],
    );
    return rows.map((row) => ({ id: row.id, name: row.name, public: row.public, roles: rolesOf(row.roles), lastWithdrawal: row.last_withdrawal }));
  }
}
