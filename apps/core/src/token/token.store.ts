import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';
import type { KnownProject } from '../authorization/known-project.js';
import { rolesOf } from '../authorization/project-access.store.js';

/** What a token may be granted from, read in one moment. */
export interface Grounds {
  readonly projects: readonly KnownProject[];
  /** Seconds since 1970 of the latest withdrawal of rights that this reading has seen; 0 when there was none. */
  readonly latestEpoch: number;
}

interface Row {
  readonly id: number | null;
  readonly name: string;
  readonly public: boolean;
  readonly role: number | null;
  readonly epoch: number;
}

@Injectable()
export class TokenStore {
  constructor(private readonly database: Database) {}

  /** The projects of these names with the user's roles (user 0 is nobody), and what was withdrawn from user or projects. */
  async grounds(names: readonly string[], subject: string, userId: number): Promise<Grounds> {
    const rows = await this.database.query<Row>(
      `SELECT p.id, p.name, p.public, m.role, coalesce(extract(epoch FROM greatest(pe.not_before, se.not_before)), 0)::float8 AS epoch
       FROM (SELECT 1) AS always
       LEFT JOIN access_epoch se ON se.subject = $2
       LEFT JOIN project p ON p.name = ANY($1::text[]) AND p.deleted_at IS NULL
       LEFT JOIN member m ON m.project_id = p.id AND m.user_id = $3
       LEFT JOIN access_epoch pe ON pe.subject = 'project:' || p.id`,
      [names, subject, userId],
    );
    const projects = rows.flatMap((row) => (row.id === null ? [] : [{ id: row.id, name: row.name, public: row.public, roles: rolesOf(row.role) }]));
    return { projects, latestEpoch: Math.max(0, ...rows.map((row) => row.epoch)) };
  }
}
